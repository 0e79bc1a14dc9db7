"""The history API, answered from an archive: what was written for the API reads the archive.

`app` puts it on HTTP, `library` answers with the archive's accounts (`accounts`) and records
(`records`), `files` gives out media by their hash, and `addresses` points records at them. All of
it only reads, takes no lock, and works while a backup writes.
"""
