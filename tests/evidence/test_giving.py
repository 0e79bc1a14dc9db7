"""After a run: the checkpoint is given first, then stamped, then its time stamps are given."""

from pathlib import Path

import pytest

from archiver.clock import SystemClock
from archiver.config import Config
from archiver.evidence.giving import Given, give_away
from archiver.net.proxy import Route
from support.sealed import SealedArchive, make_sealed
from support.time_stamping import Authority


@pytest.fixture
def sealed(tmp_path: Path) -> SealedArchive:
    return make_sealed(tmp_path / "here", 1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def asking(sealed: SealedArchive, authority: Authority, address: str, *copies: str) -> Config:
    return sealed.config(
        f"checkpoint_copies = {[*copies]}\ntimestamp = ['{address}']\n"
        f"timestamp_roots = '{authority.root}'\n[network]\nallow = ['127.0.0.0/8']"
    )


def give(config: Config, *, with_stamps: bool = True) -> Given:
    return give_away(config, Route(), SystemClock(), with_stamps=with_stamps)


def test_a_copy_has_both_and_one_that_fails_is_told_once(
    sealed: SealedArchive, authority: Authority
) -> None:
    with authority.served() as address:
        given = give(asking(sealed, authority, address, "new", "git:nowhere"))
    assert given.stamps == 1
    (problem,) = given.problems
    assert "not given to git:" in problem
    new = sealed.folder / "new"
    assert sorted(path.suffix for path in new.iterdir()) == [".checkpoint", ".tsr"]


def test_a_checkpoint_is_given_where_no_authority_answers_and_its_time_stamp_after_the_next_run(
    sealed: SealedArchive, authority: Authority
) -> None:
    authority.status = 503
    with authority.served() as address:
        config = asking(sealed, authority, address, "new")
        (problem,) = give(config).problems
        assert "was not stamped by" in problem
        assert [path.suffix for path in (sealed.folder / "new").iterdir()] == [".checkpoint"]
        authority.status = 200
        assert give(config) == Given(stamps=1)
        assert give(config) == Given()
    assert len(list((sealed.folder / "new").iterdir())) == 2


def test_after_a_run_that_was_stopped_nobody_is_asked(
    sealed: SealedArchive, authority: Authority
) -> None:
    with authority.served() as address:
        assert give(asking(sealed, authority, address, "new"), with_stamps=False) == Given()
    assert authority.asked == []
    assert len(list((sealed.folder / "new").iterdir())) == 1
