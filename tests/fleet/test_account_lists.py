"""Lists of tenants and accounts in CSV."""

from pathlib import Path

import pytest

from archiver.errors import UsageError
from archiver.fleet.account_lists import check_tenants, read_list
from archiver.fleet.settings import FleetSettings
from archiver.plugins import load_plugins
from archiver.secrets import Secret

_HEAD = "tenant,account,platform,source,profile_key"


def test_a_list_is_read_by_tenant() -> None:
    acme, city = read_list([
        "tenant,account,platform,source,settings,profile_key,page_published",
        "acme,acme-ig,instagram,ayrshare,,env:ACME,",
        "city,city-fb,facebook,ayrshare,city.toml,file:city.key,true",
        "acme,acme-fb,facebook,,,env:ACME,false",
    ])  # fmt: skip
    assert [account.name for account in acme.accounts] == ["acme-ig", "acme-fb"]
    assert acme.accounts[0].options == {"profile_key": "env:ACME"}
    assert acme.accounts[1].options == {"profile_key": "env:ACME", "page_published": False}
    assert acme.accounts[1].source is None
    assert city.settings == "city.toml"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["tenant,platform", "a,b"], "no column account"),
        ([_HEAD, "acme,,instagram,,"], "Line 2"),
        ([_HEAD, "acme,a,instagram,,,too many"], "Line 2"),
        ([_HEAD, "acme,a,instagram,,", "acme,a,facebook,,"], "a again"),
        ([_HEAD, "../acme,a,instagram,,"], "name of a tenant"),
        ([_HEAD, 'acme,"a,instagram,,'], "no CSV"),
    ],
)
def test_what_is_wrong_in_a_list_is_said(lines: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_list(lines)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("acme,a,myspace,ayrshare,", "myspace"),
        ("acme,a,instagram,ayrshare,sk-written-out-1234", "a of acme"),
    ],
)
def test_what_a_plugin_refuses_is_refused_at_once(tmp_path: Path, row: str, message: str) -> None:
    shared = tmp_path / "tenant.toml"
    shared.touch(mode=0o600)
    shared.write_text('[ayrshare]\napi_key = "env:KEY"\n')
    settings = FleetSettings(Secret("env:DATABASE"), tmp_path, shared)
    with pytest.raises(UsageError, match=message) as failure:
        check_tenants(read_list([_HEAD, row]), settings, load_plugins(environ={}))
    assert "sk-written-out" not in str(failure.value)
