"""A small world of ten platforms behind the API, as an ASGI application that opens nothing.

It is what `archiver demo` shows, and what tests talk to instead of the real services: `world` holds
the state, `backend` answers the API from it (through `archiver_ayrshare.emulation`), `app` adds the
media, `story` is what `archiver demo` backs up.
"""
