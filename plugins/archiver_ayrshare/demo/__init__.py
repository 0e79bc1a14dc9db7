"""A small world of ten platforms, served over real HTTP on loopback.

It is what `archiver demo` shows, and what every test of this program talks to instead of the real
services: `world` holds the state, `library` answers the history API from it (in the manners of
`archiver_ayrshare.emulation`), `app` adds the media, `story` tells something worth
backing up.
"""
