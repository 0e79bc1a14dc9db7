"""The system's own schedulers: what is written for each, so that a backup runs every night."""
