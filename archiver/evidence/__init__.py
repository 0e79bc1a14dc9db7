"""What shows that an archive is whole: reading it back, mending it, and a second copy of it."""
