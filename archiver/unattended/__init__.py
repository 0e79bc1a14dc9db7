"""What lets the backup run by itself for years, and say when something is wrong."""
