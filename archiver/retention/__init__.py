"""Letting go of what must not be kept: erasure, disposal by rules, and what proves it."""
