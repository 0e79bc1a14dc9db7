"""The settings of the config: each is documented, has a default, and fits the others."""

from dataclasses import fields
from typing import Any

import pytest

from archiver.binding import ProxyAddress, settings_of
from archiver.errors import ConfigError
from archiver.secrets import Secret
from archiver.settings import (
    ArchiveSettings,
    EntryHead,
    MediaSettings,
    NetworkSettings,
)

TABLES = (ArchiveSettings, MediaSettings, NetworkSettings)
PROXY = "http://proxy.example:3128/"


@pytest.mark.parametrize("table", TABLES)
def test_every_table_can_be_left_out(table: type[Any]) -> None:
    table()


@pytest.mark.parametrize("table", [*TABLES, EntryHead])
def test_every_setting_is_documented_in_a_sentence(table: type[Any]) -> None:
    for setting in settings_of(table):
        assert setting.help.endswith("."), setting.name
        assert setting.example, setting.name


@pytest.mark.parametrize("table", [*TABLES, EntryHead])
def test_every_default_is_one_that_may_be_written(table: type[Any]) -> None:
    values = table(**{f.name: "x" for f in fields(table) if f.default is f.default_factory})
    for spec in fields(table):
        value, low, high = (
            getattr(values, spec.name), spec.metadata.get("min"), spec.metadata.get("max"),
        )  # fmt: skip
        assert low is None or value >= low
        assert high is None or value <= high


def test_credentials_need_a_proxy() -> None:
    with pytest.raises(ConfigError, match='no "proxy"'):
        NetworkSettings(proxy_credentials=Secret("env:P"))
    NetworkSettings(proxy=ProxyAddress(PROXY), proxy_credentials=Secret("env:P"))


def test_credentials_are_given_once() -> None:
    proxy = ProxyAddress(PROXY, Secret("user:password"))
    with pytest.raises(ConfigError, match="is set too"):
        NetworkSettings(proxy=proxy, proxy_credentials=Secret("env:P"))
    NetworkSettings(proxy=proxy)
