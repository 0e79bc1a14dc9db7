"""Files: which are wanted, how they are fetched and checked, and where they are kept."""
