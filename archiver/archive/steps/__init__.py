"""The steps that made the tables what they are, one a module: a released one is never edited."""
