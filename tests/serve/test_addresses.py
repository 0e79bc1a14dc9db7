"""Addresses of stored files on this server: each says which file it is, and keeps its name."""

from urllib.parse import parse_qs, urlsplit

from hypothesis import assume, given
from hypothesis import strategies as st

from archiver.media_keys import address_key
from archiver.serve.addresses import Files, served_url
from test_media_keys import ID_NAMES, IDS, SIGNED, address

ORIGIN = "http://127.0.0.1:8585"
HASHES = ["ab" * 32, "cd" * 32]
HOSTS = st.sampled_from(sorted(SIGNED.keys() - {"unknown.example"}))
"""Those of which it is known what signs, whatever the path."""

PATHS = st.sampled_from(["/media/", "/i", "/v/473_n.jpg", "/safe_image.php"])


@given(HOSTS, PATHS, ID_NAMES, IDS, IDS, st.data())
def test_two_files_of_one_path_are_each_served_as_themselves(
    host: str, path: str, name: str, one: str, other: str, data: st.DataObject
) -> None:
    """Under fresh signatures too, and whoever backs up from here gives each its old name."""

    def offered(value: str) -> str:
        signed = data.draw(SIGNED[host])
        return address(host, path, [(name, value), *signed.items()])

    keys = [address_key(offered(value)) for value in (one, other)]
    assume(keys[0] != keys[1])
    files = Files()
    for value, key, sha256 in zip((one, other), keys, HASHES, strict=True):
        files.add(offered(value), key, sha256)
    for value, key, sha256 in zip((one, other), keys, HASHES, strict=True):
        served = served_url(offered(value), files, ORIGIN)
        assert served is not None
        assert parse_qs(urlsplit(served).query)["archived"] == [sha256]
        assert address_key(served) == key


def test_an_address_that_names_none_of_two_files_is_left_as_it_is() -> None:
    files = Files()
    for number, sha256 in enumerate(HASHES):
        files.add(f"https://cdn.example/i?id={number}", f"/i?id={number}", sha256)
    assert served_url("https://cdn.example/i", files, ORIGIN) is None
    assert served_url("https://cdn.example/i?id=3", files, ORIGIN) is None
