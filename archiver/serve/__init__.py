"""An API, answered from an archive: what was written for the API reads the archive.

A plugin that knows the API reads requests and writes answers. `app` puts it on HTTP, `histories`
lends it the archive's accounts and `records`, `files` gives out media by their hash, `addresses`
says where. All of it only reads, takes no lock, and works while a backup writes.
"""
