"""A secret is found where its reference says, is plain text, and is blanked out everywhere."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from archiver import secrets
from archiver.errors import SecretError
from archiver.secrets import Secret, is_reference, redact, redact_bytes
from support.hostile.canaries import KEYS, leaks, spellings


@pytest.mark.parametrize("text", ["env:A", "file:key", "keyring:a/b", "cmd:pass show key"])
def test_a_reference_is_shown_and_what_it_names_is_not(text: str) -> None:
    assert is_reference(text)
    assert text in repr(Secret(text))
    assert text in str(Secret(text))


@pytest.mark.parametrize("text", ["written-out", "http://a.example", "environment:A", ""])
def test_a_secret_that_is_written_out_is_never_shown(text: str) -> None:
    assert not is_reference(text)
    assert repr(Secret(text)) == str(Secret(text)) == "Secret('[secret]')"


def test_secrets_are_equal_when_they_refer_to_the_same() -> None:
    assert Secret("env:A") == Secret("env:A", literal_allowed=False)
    assert Secret("env:A") != Secret("env:B")
    assert Secret("env:A") != "env:A"
    assert len({Secret("env:A"), Secret("env:A"), Secret("env:B")}) == 2


def test_a_secret_of_the_environment_is_read_when_it_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = Secret("env:MIRROR_KEY")
    monkeypatch.delenv("MIRROR_KEY", raising=False)
    with pytest.raises(SecretError, match="MIRROR_KEY is not set"):
        secret.reveal()
    monkeypatch.setenv("MIRROR_KEY", " key-of-the-environment\n")
    assert secret.reveal() == "key-of-the-environment"


def test_a_file_is_looked_for_beside_the_config_and_must_be_private(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("key-of-a-file\n")
    path.chmod(0o600)
    assert Secret("file:key", base=tmp_path).reveal() == "key-of-a-file"
    path.chmod(0o644)
    with pytest.raises(SecretError, match="can be read by other users"):
        Secret("file:key", base=tmp_path).reveal()
    with pytest.raises(SecretError, match="cannot be read"):
        Secret("file:none", base=tmp_path).reveal()


def test_a_literal_needs_a_private_file() -> None:
    assert Secret("written-out-key").reveal() == "written-out-key"
    with pytest.raises(SecretError, match="written out in a config file that others can read"):
        Secret("written-out-key", literal_allowed=False).reveal()


def test_an_empty_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRROR_EMPTY", " \n")
    with pytest.raises(SecretError, match="is empty") as caught:
        Secret("env:MIRROR_EMPTY").reveal()
    assert caught.value.hint == "Put the secret into the environment variable MIRROR_EMPTY"


def test_a_command_is_run_once(tmp_path: Path) -> None:
    secret = Secret(f"cmd:echo x >> {tmp_path}/runs; echo key-of-a-command")
    assert secret.reveal() == secret.reveal() == "key-of-a-command"
    assert (tmp_path / "runs").read_text() == "x\n"


def test_a_command_does_not_see_other_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIRROR_OTHER", "key-of-another")
    Secret("env:MIRROR_OTHER")
    Secret(f"cmd:env > {tmp_path}/environment; echo key-of-this").reveal()
    environment = (tmp_path / "environment").read_text()
    assert "PATH=" in environment
    assert "MIRROR_OTHER" not in environment


def test_masking_needs_no_secret_that_can_be_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIRROR_NONE", raising=False)
    Secret("env:MIRROR_NONE").mask()
    Secret("masked-before-it-is-used").mask()
    assert redact("masked-before-it-is-used!") == "[secret]!"


def test_a_text_that_is_too_short_shreds_no_ordinary_text() -> None:
    Secret("the").reveal()
    assert redact("the theatre") == "the theatre"


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_every_spelling_is_blanked_out(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    Secret(key).reveal()
    for spelling in spellings(key):
        assert not leaks(redact(f"<{spelling}>").encode())
        assert not leaks(redact_bytes(f"<{spelling}>".encode()))


def test_a_secret_that_begins_like_another_does_not_uncover_it() -> None:
    Secret("prefix-7788").reveal()
    Secret("prefix-7788-and-the-rest").reveal()
    assert "rest" not in redact("prefix-7788-and-the-rest")


ODD = {
    "line end": (b"good-key\n", True),
    "Windows line end": (b"good-key\r\n", True),
    "byte order mark": (b"\xef\xbb\xbfgood-key", True),
    "two lines": (b"bad-key\nbad-key\n", False),
    "UTF-16": ("bad-key".encode("utf-16"), False),
    "UTF-16 without mark": ("bad-key".encode("utf-16-le"), False),
    "zero byte": (b"bad\0key", False),
    "zero-width space": ("bad-key\u200b".encode(), False),
    "letter beyond ASCII": ("bad-kéy".encode(), False),
    "no UTF-8": (b"bad-key\xff", False),
}


@pytest.mark.parametrize(("data", "is_good"), ODD.values(), ids=ODD)
@pytest.mark.parametrize("scheme", ["env", "file", "cmd"])
def test_a_key_is_plain_text_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, data: bytes, is_good: bool
) -> None:
    path = tmp_path / "key"
    path.write_bytes(data)
    path.chmod(0o600)
    if scheme == "env" and b"\0" in data:
        pytest.skip("no environment holds a zero byte")
    monkeypatch.setitem(os.environb, b"ODD_KEY", data.replace(b"\0", b""))
    secret = Secret(
        {"env": "env:ODD_KEY", "file": f"file:{path}", "cmd": f"cmd:cat {path}"}[scheme]
    )
    if is_good:
        assert secret.reveal() == "good-key"
    else:
        with pytest.raises(SecretError) as caught:
            secret.reveal()
        assert "bad" not in str(caught.value)
        assert redact("bad-key") == "bad-key"


class PlaintextKeyring:
    """As keyrings.alt has it."""

    __module__ = "keyrings.alt.file"


class EncryptedKeyring(PlaintextKeyring):
    """As keyrings.alt has it."""

    __module__ = "keyrings.alt.file"


class ChainerBackend:
    """As keyring has it: several keyrings, asked one after the other."""

    backends = (EncryptedKeyring(), PlaintextKeyring())


def keyring_of(
    monkeypatch: pytest.MonkeyPatch, backend: object, answer: Callable[..., Any]
) -> None:
    """Have a keyring installed that answers so."""
    module = ModuleType("keyring")
    vars(module).update(get_keyring=lambda: backend, get_password=answer)
    monkeypatch.setitem(sys.modules, "keyring", module)


def fail(*_: str) -> str:
    raise RuntimeError("No D-Bus")


KEYRINGS = {
    "plain": (PlaintextKeyring(), "k", "stores keys unencrypted"),
    "in a chain": (ChainerBackend(), "k", "stores keys unencrypted"),
    "empty": (EncryptedKeyring(), None, "has no 'one' for 'ring'"),
    "failing": (object(), fail, "No D-Bus"),
}


@pytest.mark.parametrize(("backend", "answer", "said"), KEYRINGS.values(), ids=KEYRINGS)
def test_an_insecure_keyring_is_refused(
    monkeypatch: pytest.MonkeyPatch, backend: object, answer: Any, said: str
) -> None:
    keyring_of(monkeypatch, backend, answer if callable(answer) else lambda *_: answer)
    with pytest.raises(SecretError, match=said):
        Secret("keyring:ring/one").reveal()


def test_a_keyring_is_asked_for_a_name_of_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring_of(monkeypatch, EncryptedKeyring(), lambda *asked: "key-of-" + "-".join(asked))
    assert Secret("keyring:my/ring/two").reveal() == "key-of-my/ring-two"
    for reference in ("keyring:ring", "keyring:/ring", "keyring:ring/"):
        with pytest.raises(SecretError, match="keyring:SERVICE/NAME"):
            Secret(reference).reveal()


def test_a_keyring_that_waits_for_somebody_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    somebody = threading.Event()
    # nobody ever answers, so that it is given up on any machine, sooner or later
    monkeypatch.setattr(secrets, "_COMMAND_SECONDS", 0.1)
    keyring_of(monkeypatch, EncryptedKeyring(), lambda *_: str(somebody.wait()))
    with pytest.raises(SecretError, match=r"did not answer within 0\.1 seconds"):
        Secret("keyring:ring/three").reveal()
    somebody.set()


def test_a_command_is_not_shown_its_output_when_it_fails() -> None:
    with pytest.raises(SecretError) as caught:
        Secret("cmd:echo leaked-canary; exit 3").reveal()
    assert "leaked-canary" not in f"{caught.value}".replace("echo leaked-canary", "")
