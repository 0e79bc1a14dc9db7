"""The history API as a server speaks it: parameters, envelopes, cursors, errors.

The demo's world and the archive (`archiver serve`) answer through one `history_api.HistoryApi`;
each hands in a `queries.ApiBackend` that has the records. `archive_backend` is the archive's.
"""
