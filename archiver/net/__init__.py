"""Everything that opens a socket: the client for an API, the client for media, and their guard."""
