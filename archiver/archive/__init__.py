"""The archive: its schema, its one writer, and what reads it. Knows neither net nor media."""
