"""The page of a post says what each of several sources says of it."""

from pathlib import Path

from archiver.browse.sources import _fields
from support.browsing import browsing
from support.gazette import gazette


def test_what_only_one_source_says_is_shown_with_its_name(tmp_path: Path) -> None:
    with gazette(tmp_path) as world:
        world.publish("Good morning", pictures=1)
        world.backup("kiosk", "paper")
        world.next_night()
        world.issues[0].text = "Good evening"
        world.backup("paper")
    with browsing(tmp_path / "archive" / "archive.db") as client:
        page = client.get("/archive/-/post/1").text
    assert "Only paper says" in page
    assert "<dt>Languages</dt>" in page
    assert "kiosk, as <code>k1</code>" in page
    assert "paper, as <code>g:1</code>" in page


def test_the_wording_of_another_source_is_no_version(tmp_path: Path) -> None:
    with gazette(tmp_path) as world:
        world.publish("Good morning")
        world.backup("kiosk")
        world.issues[0].text = "Good evening"
        world.backup("paper")
    with browsing(tmp_path / "archive" / "archive.db") as client:
        page = client.get("/archive/-/post/1").text
    assert "as paper words it" in page


def test_values_are_shown_in_lines() -> None:
    text = (
        '{"poll": {"is_content": true, "value": {"options": ["Yes", "No"], "multiple": false}},'
        ' "card": {"is_content": false, "value": [{"title": "A"}, {"title": "B"}]},'
        ' "odd": 5}'
    )
    fields = list(_fields(text))
    assert [(field.name, field.lines, field.is_content) for field in fields] == [
        ("poll", ("options: Yes, No", "multiple: no"), True),
        ("card", ("1, title: A", "2, title: B"), False),
    ]
    assert list(_fields("{")) == []
