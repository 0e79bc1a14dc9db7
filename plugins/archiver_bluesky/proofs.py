"""Verifying offline that an account's server signed records, from saved evidence.

Kept are the directory's log (or the account's document), commits with their signatures, and the
nodes of trees. Nothing else is believed: not when something was received, nor from where.
"""

import io
from collections.abc import Iterable, Mapping
from typing import Any

from archiver import BadJson, Proof, Response, read_json
from archiver_bluesky.baddata import BadData
from archiver_bluesky.car import CarFile
from archiver_bluesky.cid import Cid, parse_cid
from archiver_bluesky.did import is_plc, parse_document
from archiver_bluesky.mst import entries_of
from archiver_bluesky.plc import KeyPeriod, key_periods, verify_log
from archiver_bluesky.records import GATES, key_of, proves_its_cid
from archiver_bluesky.repository import Commit, parse_commit, signing_key
from archiver_bluesky.tid import time_of

_CAR = "application/vnd.ipld.car"


class SavedProofs:
    """The proofs in the saved answers about one account; a call returns that of a record."""

    def __init__(self, did: str, evidence: Iterable[Response]) -> None:
        self._did = did
        self._blocks: dict[Cid, bytes] = {}
        self._logs: list[tuple[KeyPeriod, ...]] = []
        self._commits: list[Commit] = []
        for answer in evidence:
            self._add(answer)
        keys = max(self._logs, key=len, default=())
        self._signed = self._signed_entries(keys)

    def __call__(self, record: Mapping[str, Any]) -> Proof:
        """The proof of a record, which includes its gates."""
        parts = [record, *(gate for name in GATES.values() if (gate := record.get(name)))]
        found = [self._prove(part) for part in parts if isinstance(part, dict)]
        return next((proof for proof in found if not proof.holds), found[0])

    def _add(self, answer: Response) -> None:
        """Add what an answer proves; damaged answers are ignored."""
        try:
            if answer.headers.get("content-type") == _CAR:
                self._add_car(CarFile(io.BytesIO(answer.body)))
            else:
                self._add_identity(read_json(answer.body))
        except (BadData, BadJson):
            return

    def _add_car(self, car: CarFile) -> None:
        for cid in car:
            self._blocks[cid] = car.block(cid) or b""
        try:
            commit = parse_commit(car.root, self._blocks.get(car.root, b""))
        except BadData:
            return  # a piece of a tree, whose root is a node
        if commit.did == self._did:
            self._commits.append(commit)

    def _add_identity(self, said: Any) -> None:
        if is_plc(self._did):
            if isinstance(said, list):
                self._logs.append(key_periods(verify_log(self._did, said)))
        elif (key := parse_document(self._did, said).key) is not None:
            known = self._logs[0] if self._logs else ()
            self._logs = [(*known, KeyPeriod(key, None, None))]

    def _signed_entries(self, keys: tuple[KeyPeriod, ...]) -> dict[tuple[str, Cid], str]:
        """For each record in a signed tree, by key and CID, who signed the first such tree."""
        signed: dict[tuple[str, Cid], str] = {}
        visited: set[Cid] = set()
        for commit in sorted(self._commits, key=lambda commit: commit.rev):
            try:
                key = signing_key(commit, keys)
                when = f"{time_of(commit.rev):%Y-%m-%d %H:%M} UTC, " if commit.rev else ""
                who = f"signed by {key.name} in commit {commit.rev} ({when}{commit.cid})"
                for entry in entries_of(commit.data, self._blocks.get, visited):
                    signed.setdefault(entry, who)
            except BadData:
                continue
        return signed

    def _prove(self, record: Mapping[str, Any]) -> Proof:
        uri, cid = record.get("uri"), record.get("cid")
        if not proves_its_cid(record):
            return Proof(False, f"The text of {uri} does not have the hash in its CID {cid}")
        key = key_of(uri, self._did)
        who = self._signed.get((key, parse_cid(cid))) if key is not None else None
        if who is None:
            return Proof(False, f"No saved signed tree contains {uri} with the CID {cid}")
        return Proof(True, f"{key} of {self._did} with the CID {cid}, {who}")
