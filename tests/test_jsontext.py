"""A record's text is kept as it came, whatever stands beside it."""

import json

import pytest

from archiver.jsontext import BadJson, read_records
from support.hostile.input import BROKEN, ODD_DATES, ODD_NUMBERS, ODD_TEXTS, ODD_URLS

GOOD = (
    rb'{ "id":"g" ,"n": 1.10e2,"t":"caf\u00e9 \"[{,\/", "a":1,"a":2,"z":-0.0,'
    rb'"big":123456789012345678901234567890,"deep":[[{"b" : [ ] }]] }'
)
NEIGHBOURS = [
    *(text.encode("utf-8", "surrogatepass") for text in BROKEN),
    *(
        json.dumps({"id": "odd", "value": value}).encode()
        for value in (*ODD_TEXTS, *ODD_NUMBERS, *ODD_DATES, *ODD_URLS)
    ),
    rb'{"id": "\ud800"}',
    rb'{"id": "\udc00\ud800"}',
    b'{"id": "\xff"}',
    b'{"id": "\xc0\xaf"}',
    b'{"id": "\xed\xa0\x80"}',
    b'{"id": "a\nb"}',
    b'{"id": "a\x00b"}',
    rb'{"id": "\x41"}',
    b'{"id": NaN}',
    b'{"id": -Infinity}',
    b'{"id": 1e999}',
    b'{"id": 01}',
    b'{"id": .5}',
    b'{"id": }',
    b'{"id"}',
    b"{'id': 'x'}",
    b'{"id": 1,}',
    b'{"id": 1} {"id": 2}',
    b"nothing",
    b"/* a comment */ 1",
    b'{"id": ' + b"[" * 3000 + b"]" * 3000 + b"}",
]


@pytest.mark.parametrize("odd", NEIGHBOURS, ids=range(len(NEIGHBOURS)))
def test_an_odd_neighbour_leaves_a_record_as_it_came(odd: bytes) -> None:
    for posts in ([GOOD, odd], [odd, GOOD], [odd, GOOD, odd]):
        for gap in (b",", b" ,\r\n\t"):
            body = b'{"status": "success", "posts" : [ ' + gap.join(posts) + b' ], "lastUpdated":1}'
            envelope, records = read_records(body, "posts")
            raws = [record.raw.encode() for record in records]
            assert raws.count(GOOD) == 1
            (good,) = (record for record in records if record.raw.encode() == GOOD)
            assert good.data["n"] == 110
            assert good.data["big"] == 123456789012345678901234567890
            assert envelope == {"status": "success", "lastUpdated": 1}


@pytest.mark.parametrize("odd", NEIGHBOURS, ids=range(len(NEIGHBOURS)))
def test_an_odd_field_of_the_answer_leaves_its_records_as_they_came(odd: bytes) -> None:
    for body in (
        b'{"odd": ' + odd + b', "posts": [' + GOOD + b"]}",
        b'\xef\xbb\xbf{"posts": [' + GOOD + b'], "odd": ' + odd + b"}\n",
    ):
        _, (record,) = read_records(body, "posts")
        assert record.raw.encode() == GOOD


def test_the_odd_record_itself_is_as_it_came_too() -> None:
    odd = rb'{"id": "1", "t": "\ud800", "n": 1.10e2}'
    _, (record,) = read_records(b'{"posts": [' + odd + b"]}", "posts")
    assert record.raw.encode() == odd
    assert record.data == {"id": "1", "t": "\ud800", "n": 110.0}


def test_a_name_may_be_spelt_with_escapes() -> None:
    odd = rb'{"t": "\ud800"}'
    _, records = read_records(rb'{"po\u0073ts": [' + GOOD + b"," + odd + b"]}", "posts")
    assert [record.raw.encode() for record in records] == [GOOD, odd]


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b'{"posts": [{}', b'{"posts": []}}', b"\xff"])
def test_what_is_not_in_one_piece_is_refused(body: bytes) -> None:
    with pytest.raises(BadJson):
        read_records(body, "posts")
