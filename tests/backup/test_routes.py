"""What `[network]` says of proxy and authorities, and that credentials in it are secrets."""

from pathlib import Path

import pytest

from archiver.backup.routes import route_of
from archiver.config import NetworkSettings, load_config
from archiver.errors import ConfigError, SecretError
from archiver.net.proxy import Route
from archiver.secrets import redact

AUTHORITY = Path(__file__).parent.parent / "net" / "media.example.pem"


def read(folder: Path, text: str, mode: int = 0o600) -> NetworkSettings:
    path = folder / "archive.toml"
    path.write_text(f"[network]\n{text}\n")
    path.chmod(mode)
    return load_config(path).network


def test_without_settings_the_way_is_direct(tmp_path: Path) -> None:
    assert route_of(read(tmp_path, "allow = []")) == Route()


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("http://proxy.example:3128", "proxy.example", 3128),
        ("http://proxy.example", "proxy.example", 80),
        (" HTTP://PROXY.example:3128/ ", "proxy.example", 3128),
        ("http://10.0.0.1:8080/", "10.0.0.1", 8080),
        ("http://[fd00::1]:8080", "fd00::1", 8080),
        ("http://proxy:3128", "proxy", 3128),
        ("http://bücher.example:3128", "xn--bcher-kva.example", 3128),
    ],
)
def test_the_host_and_port_of_a_proxy_are_read(
    text: str, host: str, port: int, tmp_path: Path
) -> None:
    proxy = route_of(read(tmp_path, f'proxy = "{text}"', 0o644)).proxy
    assert proxy is not None
    assert (proxy.host, proxy.port, proxy.authorization) == (host, port, None)


@pytest.mark.parametrize(
    "text",
    ["", "proxy.example:3128", "https://proxy.example:3128", "socks5://proxy.example:1080",
     "http://", "http://proxy.example:3128/path", "http://proxy.example:port", "http://a b:1",
     "http://proxy.example:99999", "http://a@b@proxy.example:1"],
)  # fmt: skip
def test_what_is_no_proxy_is_refused_and_says_where(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'line 2: "proxy" in \[network\] must be an address'):
        read(tmp_path, f'proxy = "{text}"')


def test_credentials_are_a_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_USER_PASSWORD", "archiver:canary-one")
    network = read(
        tmp_path,
        'proxy = "http://proxy.example:3128"\nproxy_credentials = "env:PROXY_USER_PASSWORD"',
        0o644,
    )
    proxy = route_of(network).proxy
    assert proxy is not None
    assert proxy.authorization == b"Basic YXJjaGl2ZXI6Y2FuYXJ5LW9uZQ=="
    assert "canary" not in redact("canary-one and archiver:canary-one")
    assert "YXJj" not in redact("YXJjaGl2ZXI6Y2FuYXJ5LW9uZQ==")


def test_credentials_are_resolved_only_when_used(tmp_path: Path) -> None:
    network = read(
        tmp_path,
        'proxy = "http://proxy.example:3128"\nproxy_credentials = "env:NOT_THERE_AT_ALL"',
    )
    with pytest.raises(SecretError, match="NOT_THERE_AT_ALL"):
        route_of(network)


def test_credentials_in_the_address_need_a_private_file(tmp_path: Path) -> None:
    text = 'proxy = "http://archiver:canary%2Ftwo@proxy.example:3128"'
    network = read(tmp_path, text)
    proxy = route_of(network).proxy
    assert proxy is not None
    assert proxy.authorization == b"Basic YXJjaGl2ZXI6Y2FuYXJ5L3R3bw=="
    assert "canary" not in repr(network)
    assert "canary" not in redact("canary/two, canary%2Ftwo")
    with pytest.raises(ConfigError, match=r'"proxy" in \[network\] holds credentials') as caught:
        read(tmp_path, text, 0o644)
    assert "canary" not in str(caught.value)
    assert "chmod 600" in str(caught.value)


@pytest.mark.parametrize("who", ["archiver", ":canary", "env:canary", ""])
def test_credentials_in_the_address_are_a_user_and_a_password(who: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"not user:password.*proxy_credentials") as caught:
        read(tmp_path, f'proxy = "http://{who}@proxy.example:3128"')
    assert "canary" not in str(caught.value)


def test_credentials_are_written_once_and_with_a_proxy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='but no "proxy"'):
        read(tmp_path, 'proxy_credentials = "env:X"')
    with pytest.raises(ConfigError, match='"proxy_credentials" is set too'):
        read(tmp_path, 'proxy = "http://a:b@proxy.example:1"\nproxy_credentials = "env:X"')


def test_a_bundle_lies_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "company-ca.pem").write_bytes(AUTHORITY.read_bytes())
    network = read(tmp_path, 'ca_bundle = "company-ca.pem"')
    assert route_of(network).ca_bundle == tmp_path / "company-ca.pem"
