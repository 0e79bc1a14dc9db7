"""The system's own schedulers: what is written for each, so that backups run by themselves."""
