"""Checks the certificates of deletions: each was signed, as it is, by the key of then."""

import json
import sqlite3
from collections.abc import Iterator

from archiver.evidence import standalone
from archiver.evidence.findings import Finding


def check_certificates(connection: sqlite3.Connection, keys: standalone.Keys) -> Iterator[Finding]:
    """Check every certificate that is signed; `keys` are those on record.

    Only the ledger shows that one without a signature, as of earlier versions, is as it was.
    """
    query = "SELECT id, certificate FROM erasures WHERE state = 'done' ORDER BY id"
    for erasure_id, text in connection.execute(query):
        if problem := _problem(text, keys):
            yield Finding("broken_certificate", f"erasures {erasure_id}", problem)


def _problem(text: object, keys: standalone.Keys) -> str | None:
    try:
        said = json.loads(str(text))
        key = standalone.key_after(keys, int(said["checkpoint_after"]["size"]))
    except (ValueError, KeyError, TypeError):
        return "its certificate cannot be read"
    if not standalone.SEAL & set(said):
        return None
    if key is None:
        return "the archive has no key on record that may have signed its certificate"
    problem = standalone.certificate_problem(str(text), key)
    return problem and f"its certificate {problem}"
