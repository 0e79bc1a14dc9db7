"""The names and places of the files of a part."""

from math import isnan

from archiver.imports.part_files import PartFile, PartFiles

NAMES = ("data/tweets.js", "data/tweets_media/12-b.jpg", "data/tweets_media/1-a.jpg", "Äpfel 🏺.b")


def some(*names: str) -> PartFiles:
    return PartFiles(PartFile(name, len(name)) for name in names)


def test_files_are_found_by_their_names_and_named_in_order() -> None:
    files = some(*NAMES)
    assert list(files) == sorted(NAMES)
    assert len(files) == len(NAMES)
    assert files.size == sum(map(len, NAMES))
    for name in NAMES:
        assert name in files
        found = files.get(name)
        assert found is not None
        assert (found.name, found.size, found.original) == (name, len(name), name)
    assert "data/tweets.jsx" not in files
    assert files.get("data") is None


def test_a_file_keeps_all_that_its_container_says_of_it() -> None:
    size = 5_000_000_000
    whole = PartFile("a/b", size, 1.5, size + 1, size - 1, 2**32 - 1, 8, 2048, "a\\b")
    files = PartFiles([whole, PartFile("c", 1)])
    assert files.get("a/b") == whole
    plain = files.get("c")
    assert plain is not None
    assert isnan(plain.seconds)


def test_of_two_with_one_name_the_later_counts() -> None:
    files = PartFiles([PartFile("a", 1, original="x"), PartFile("b", 2), PartFile("a", 3)])
    found = files.get("a")
    assert found is not None
    assert (len(files), found.size, found.original) == (2, 3, "a")


def test_names_that_begin_alike_are_found_together() -> None:
    files = some(*NAMES)
    assert list(files.starting("data/tweets_media/1-")) == ["data/tweets_media/1-a.jpg"]
    assert list(files.starting("")) == sorted(NAMES)
    assert list(files.starting("z")) == []


def test_a_search_ignores_the_case_and_the_form_of_accents() -> None:
    files = some(*NAMES)
    assert list(files.find("TWEETS*.js")) == ["data/tweets.js"]
    assert list(files.find("*.jpg")) == ["data/tweets_media/1-a.jpg", "data/tweets_media/12-b.jpg"]
    assert list(files.find("a\u0308pfel ?.B")) == ["Äpfel 🏺.b"]
    assert list(files.find("weets.js")) == []


def test_a_name_may_have_bytes_that_are_no_unicode() -> None:
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    assert list(some(name).find("*.jpg")) == [name]


def test_a_part_may_have_no_files() -> None:
    assert list(some()) == []
    assert list(some().find("*")) == []
    assert "a" not in some()
