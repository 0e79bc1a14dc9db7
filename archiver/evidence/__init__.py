"""What shows that an archive is whole: reading it back, repairing it, and a second copy of it."""
