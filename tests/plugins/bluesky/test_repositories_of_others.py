"""CAR files that other implementations wrote: every hash and signature agrees with ours."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archiver_bluesky.baddata import BadData
from archiver_bluesky.car import CarFile
from archiver_bluesky.cid import cid_of_block
from archiver_bluesky.dag_cbor import decode, encode
from archiver_bluesky.dag_json import from_json, to_json
from archiver_bluesky.keys import parse_did_key
from archiver_bluesky.plc import KeyPeriod, key_periods, verify_log
from archiver_bluesky.repository import Repository
from support.bluesky.trees import Blocks, build_tree

FOLDER = Path(__file__).parent / "repositories"


@dataclass(frozen=True)
class OthersRepository:
    """A CAR file, and what its implementation says is in it."""

    car: bytes
    said: dict[str, Any]

    @property
    def keys(self) -> tuple[KeyPeriod, ...]:
        if "log" in self.said:
            return key_periods(verify_log(self.said["did"], self.said["log"]))
        return (KeyPeriod(parse_did_key(self.said["key"]), None, None),)

    def read(self, car: bytes | None = None) -> Repository:
        file = CarFile(io.BytesIO(self.car if car is None else car))
        return Repository(file, self.said["did"], self.keys, lambda _collection: True)


@pytest.fixture(params=["pds", "arroba"])
def other(request: pytest.FixtureRequest) -> OthersRepository:
    path = FOLDER / f"{request.param}.car"
    return OthersRepository(path.read_bytes(), json.loads(path.with_suffix(".json").read_text()))


def test_the_records_are_those_that_its_implementation_lists(other: OthersRepository) -> None:
    found = other.read()
    records = {
        entry.key: to_json(decode(found.block(entry)))
        for entries in found.entries.values()
        for entry in entries
    }
    assert records == other.said["records"]


def test_every_block_has_the_hash_in_its_cid_and_is_written_as_we_write_it(
    other: OthersRepository,
) -> None:
    car = CarFile(io.BytesIO(other.car))
    for cid in car:
        block = car.block(cid)
        assert block is not None
        assert cid_of_block(block) == cid
        assert encode(from_json(to_json(decode(block)))) == block


def test_the_tree_of_the_listed_records_is_the_one_that_was_signed(
    other: OthersRepository,
) -> None:
    blocks: Blocks = {}
    entries = {
        key: cid_of_block(encode(from_json(value))) for key, value in other.said["records"].items()
    }
    assert build_tree(entries, blocks) == other.read().commit.data


def test_any_flipped_bit_is_refused(other: OthersRepository) -> None:
    for place in range(0, len(other.car), 97):
        changed = bytearray(other.car)
        changed[place] ^= 1
        with pytest.raises(BadData):
            other.read(bytes(changed))


def test_the_signature_is_that_of_the_key_of_its_time(other: OthersRepository) -> None:
    found = other.read()
    assert found.key == other.keys[0]
    if "log" in other.said:
        assert len(other.keys) == 2, "its key was replaced"
