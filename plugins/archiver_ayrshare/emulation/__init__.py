"""An emulation of the history API: parameters, envelopes, cursors, errors.

The demo's world and the archive (`archiver serve`) both answer through `history_api.HistoryApi`;
each has a `queries.ApiBackend` that gives the records. `archive_backend` is the archive's.
"""
