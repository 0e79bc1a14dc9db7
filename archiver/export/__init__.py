"""What leaves an archive: one snapshot of chosen posts, and the forms in which it is written."""
