"""Taking records out of answers: nothing of them stays, and those of other posts do."""

import json

import pytest

from archiver.archive.answers import is_about, without_ids, without_records

TEXT = "Agent Kowalski lives behind the mill"
OWN = {"id": "12", "text": TEXT, "user": {"name": "Mayor"}}
OTHER = {"id": "13", "text": "The bakery opens", "user": {"name": "Mayor"}}


def cut(answer: object, *ids: str, texts: tuple[str, ...] = (TEXT,)) -> tuple[object, int]:
    left, taken = without_records(json.dumps(answer).encode(), ids or ("12",), texts)
    return None if left is None else json.loads(left), taken


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ({"posts": [OWN, OTHER], "count": 2}, {"posts": [OTHER], "count": 2}),
        ([OTHER, OWN], [OTHER]),
        ({"a": {"b": [{"post": OWN}]}}, {"a": {"b": []}}),
        ([{"id": 12, "text": TEXT}], []),
        ([OTHER | {"in_reply_to_id": "12"}, OWN], [OTHER | {"in_reply_to_id": "12"}]),
        ([OTHER | {"reply": {"to": {"id": "12"}}}], [OTHER | {"reply": {"to": {"id": "12"}}}]),
    ],
)  # fmt: skip
def test_the_record_goes_and_all_else_stays(answer: object, left: object) -> None:
    assert cut(answer)[0] == left


def test_an_answer_without_it_is_not_touched() -> None:
    body = b'{ "posts": [ {"id": "13",   "x": 1.50} ] }'
    assert without_records(body, {"12"}, {TEXT}) == (body, 0)
    assert without_records(b"\x00\x01 no JSON", {"12"}, {TEXT}) == (b"\x00\x01 no JSON", 0)


@pytest.mark.parametrize(
    "answer",
    [
        {"posts": [OTHER | {"quoted": OWN}]},
        {"posts": {"12": OWN}},
        {"html": f"<p>{TEXT}</p>"},
    ],
)
def test_of_an_answer_that_has_the_text_elsewhere_nothing_is_kept(answer: object) -> None:
    assert cut(answer)[0] is None


def test_what_is_no_json_and_names_it_is_not_kept() -> None:
    assert without_records(f"<post>{TEXT}</post>".encode(), {"12"}, {TEXT}) == (None, 0)


def test_a_short_text_is_not_looked_for_in_other_records() -> None:
    assert cut([OWN | {"text": "Yes"}, OTHER | {"text": "Yes"}], texts=("Yes",)) == (
        [OTHER | {"text": "Yes"}], 1,
    )  # fmt: skip


def test_a_record_that_could_not_be_read_is_known_by_its_id_or_text() -> None:
    assert is_about(json.dumps({"id": "12"}), {"12"}, set())
    assert is_about(json.dumps({"t": TEXT}), {"12"}, {TEXT})
    assert not is_about(json.dumps(OTHER), {"12"}, {TEXT})


def test_an_earlier_version_is_found_as_a_search_finds_it() -> None:
    answer = [{"at": 1, "text": "Agent Kowalski\nmoved to MÜNCHEN"}, OTHER]
    body = json.dumps(answer).encode()
    assert without_records(body, {"12"}, {TEXT}) == (body, 0)
    for earlier, left in (("agent kowalski moved to munchen", None), ("moved to munchen", body)):
        assert without_records(body, {"12"}, {TEXT}, {earlier}) == (left, 0)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("https://a.example/statuses?limit=40&max_id=123456", "max_id=erased"),
        ("https://a.example/statuses/123456/history", "/statuses/erased/history"),
        ("https://a.example/posts?uris=at%3A%2F%2Fdid%3Aplc%3Ax%2Fp%2F3k&n=1", "uris=erased&n=1"),
        ("https://a.example/posts?uris=at://did:plc:x/p/3k", "uris=erased"),
        ('{"link": "<https://a.example/s?min_id=123456>; rel=\\"prev\\""}', "min_id=erased>; rel="),
        ("https://a.example/posts?ids=123456,777777", "ids=erased,777777"),
        ("https://a.example/s?max_id=1234567&n=40", "max_id=1234567&n=40"),
    ],
)
def test_an_address_loses_the_ids_and_nothing_else(text: str, left: str) -> None:
    ids = {"123456", "at://did:plc:x/p/3k", "40", "a.example"[:1]}
    found = without_ids(text, ids.__contains__)
    assert left in found
    assert found.startswith(text[: text.index("?")] if "history" not in text else "https://a.ex")
