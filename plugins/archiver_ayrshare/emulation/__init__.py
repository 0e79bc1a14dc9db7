"""The history API as a server speaks it: parameters, envelopes, cursors, errors.

The demo's world and the archive itself (`archiver serve`) answer through this one implementation;
each hands in a `manners.Library` that has the records. `running` puts an application on a port.
"""
