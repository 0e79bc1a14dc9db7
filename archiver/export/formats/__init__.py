"""The forms of an export: each writes the posts of a snapshot into a folder."""

from archiver.export.formats import activitystreams, bagit, csv, eml, jsonl, loadfile, sqlite, wacz
from archiver.export.formats.form import ExportFormat

FORMATS: dict[str, ExportFormat] = {
    form.name: form
    for form in (
        jsonl.FORMAT,
        csv.FORMAT,
        sqlite.FORMAT,
        eml.FORMAT,
        loadfile.FORMAT,
        activitystreams.FORMAT,
        wacz.FORMAT,
        bagit.FORMAT,
    )
}
"""All forms, by their names."""
