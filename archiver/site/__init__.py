"""`html`: a static web site of chosen posts, which looks like the pages of `archiver browse`.

It is read from a disk or from any web server, needs no script but for its search, and asks for
nothing outside of its folder. It is a package of its own because it shares the style sheets and the
words of `archiver.browse`, which itself builds on `archiver.export`.
"""
