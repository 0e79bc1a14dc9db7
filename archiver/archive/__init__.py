"""The archive's database: schema, writer and readers. Imports neither `net` nor `media`."""
