"""Saved files have names that people understand, and that are safe on every system."""

import pytest

from archiver.export.file_names import file_name, is_file_name

PATH = f"media/ab/{'ab' * 32}.jpg"
DAY = "2026-11-02T09:00:00.000Z"


@pytest.mark.parametrize(
    ("account", "at", "more", "name"),
    [
        ("my-instagram", DAY, {"number": 1, "count": 10}, "2026-11-02_my-instagram_1of10.jpg"),
        ("my-instagram", DAY, {}, "2026-11-02_my-instagram.jpg"),
        ("my-instagram", DAY, {"role": "thumbnail"}, "2026-11-02_my-instagram_thumbnail.jpg"),
        ("陶芸 アカウント", None, {}, "undated_陶芸-アカウント.jpg"),
        ("../../etc/passwd", "soon", {}, "undated_etc-passwd.jpg"),
        ("a\u202egpj.exe", DAY, {}, "2026-11-02_a-gpj-exe.jpg"),
        ('"; rm -rf *\r\n', DAY, {}, "2026-11-02_rm-rf.jpg"),
        ("", DAY, {}, "2026-11-02.jpg"),
        ("x" * 500, DAY, {}, f"2026-11-02_{'x' * 60}.jpg"),
    ],
)
def test_a_file_name_has_the_day_the_account_and_a_number(
    account: str, at: str | None, more: dict[str, int | str], name: str
) -> None:
    made = file_name(account, at, PATH, **more)  # type: ignore[arg-type] # several types in one dict
    assert made == name
    assert is_file_name(made, PATH)


@pytest.mark.parametrize(
    "name",
    ["2026-11-02_a.exe", "a.jpg", "2026/../x.jpg", "2026-11-02_a\r\nset-cookie: b.jpg",
     "2026-11-02_a\u202e.jpg", "", ".jpg", "2" * 200 + ".jpg", "2026-11-02_a.jpg.jpg"],
)  # fmt: skip
def test_no_other_name_is_taken(name: str) -> None:
    assert not is_file_name(name, PATH)


@pytest.mark.parametrize("path", ["media/ab/abc", "media/ab/abc.JPG!", "x.y/z", "a." + "x" * 20])
def test_an_extension_is_that_of_the_archive_or_none(path: str) -> None:
    assert file_name("a", DAY, path) == "2026-11-02_a"
