"""Verifying an archive, repairing it, and copying it."""
