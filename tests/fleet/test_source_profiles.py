"""Tenants from the profiles of a source: only what is new is added."""

from collections.abc import Iterable

import pytest

from archiver.fleet.database import FleetAccount, accounts_of, add_accounts, connected
from archiver.fleet.source_profiles import ProfilePlan, add_planned, plan_profiles
from archiver.models import SourceProfile
from support.fleet.fleets import FleetBench

pytestmark = pytest.mark.peers

ACME = SourceProfile("r1", "Acme Inc.", ("facebook", "youtube"))


def added(fleet: FleetBench, *profiles: SourceProfile) -> tuple[ProfilePlan, tuple[int, int]]:
    with connected(fleet.address) as connection:
        plan = plan_profiles(connection, "shelf", profiles, {"facebook", "youtube"})
        return plan, add_planned(connection, plan)


def accounts(fleet: FleetBench, tenant: str) -> Iterable[FleetAccount]:
    with connected(fleet.address) as connection:
        return accounts_of(connection, tenant)


def test_a_profile_becomes_a_tenant_whose_key_is_a_reference(fleet: FleetBench) -> None:
    plan, new = added(fleet, ACME)
    assert (new, plan.notes, plan.variables) == ((1, 2), [], ["PROFILE_KEY_ACME_INC"])
    facebook, youtube = accounts(fleet, "acme-inc")
    assert (facebook.name, youtube.platform) == ("acme-inc-facebook", "youtube")
    assert facebook.options == {"profile_key": "env:PROFILE_KEY_ACME_INC"}
    assert facebook.source == "shelf"


def test_a_second_time_adds_what_is_new_under_any_title(fleet: FleetBench) -> None:
    added(fleet, SourceProfile("r1", "Acme Inc.", ("facebook",)))
    by_hand = FleetAccount("acme-inc-facebook", "facebook", "shelf", {"profile_key": "env:MINE"})
    with connected(fleet.address) as connection:
        add_accounts(connection, "acme-inc", None, [by_hand])
    plan, new = added(fleet, SourceProfile("r1", "Another title", ("facebook", "youtube")))
    assert (new, plan.variables) == ((0, 1), ["MINE"])
    assert [each.options["profile_key"] for each in accounts(fleet, "acme-inc")] == ["env:MINE"] * 2
    assert added(fleet, ACME)[1] == (0, 0)


def test_what_is_gone_at_the_source_is_said_and_kept(fleet: FleetBench) -> None:
    added(fleet, ACME, SourceProfile("r2", "City", ("facebook",)))
    plan, new = added(fleet, SourceProfile("r1", "Acme Inc.", ("youtube",)))
    assert new == (0, 0)
    assert [note.split(" at ")[0] for note in plan.notes] == [
        "acme-inc: acme-inc-facebook is not linked", "city: its profile is gone",
    ]  # fmt: skip
    assert len(list(accounts(fleet, "city"))) == 1


def test_titles_of_any_text_become_names_that_are_unlike_each_other(fleet: FleetBench) -> None:
    titles = ("../../etc", "ETC", "'; DROP TABLE fleet.tenants; --", "\u202e漢字", "", "É" * 9999)
    found = [SourceProfile(f"r{n}", title, ("facebook",)) for n, title in enumerate(titles)]
    plan, new = added(fleet, *found)
    assert new == (6, 6)
    names = [tenant.name for tenant in plan.tenants]
    assert names[0] == "etc"
    assert names[1].startswith("etc-")
    assert names[2] == "drop-table-fleet-tenants"
    assert names[3].startswith("profile-")
    assert names[5] == "e" * 48
    assert added(fleet, *found)[1] == (0, 0)


def test_a_tenant_of_a_list_is_left_alone(fleet: FleetBench) -> None:
    fleet.add("acme-inc")
    plan, new = added(fleet, ACME)
    assert new == (0, 0)
    assert "left alone" in plan.notes[0]


@pytest.mark.parametrize(
    ("profile", "note"),
    [
        (SourceProfile("r1", "Acme", ("facebook",), suspended=True), "suspended"),
        (SourceProfile("r1", "Acme", ("cards",)), "nothing linked"),
        (SourceProfile("", "Acme", ("facebook",)), "no id: 2"),
        (SourceProfile("\x00", "Acme", ("facebook",)), "no id: 2"),
        (SourceProfile("r" * 9999, "Acme", ("facebook",)), "no id: 2"),
    ],
)
def test_what_cannot_be_backed_up_is_left_out_with_a_reason(
    fleet: FleetBench, profile: SourceProfile, note: str
) -> None:
    plan, new = added(fleet, profile, profile)  # as pages have it that were shifted between
    assert new == (0, 0)
    assert note in plan.notes[0]
