"""A run of `archiver backup`: the only package that uses net, media and archive together."""
