"""Films that are offered in segments (HLS, DASH): read, fetched and joined into one file."""
