"""A simulated world of ten platforms behind the API, as an ASGI application.

It is what `archiver demo` backs up, and what tests use in place of the real services: `world` holds
the state, `backend` answers the API from it (through `archiver_ayrshare.emulation`), `app` adds the
media, `story` is what `archiver demo` backs up.
"""
