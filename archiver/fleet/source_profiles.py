"""Tenants from the profiles that a source lists below a key: what `fleet add --source` adds.

A tenant is known again by the profile's id, since a title can change. Nothing that is there is
changed, and nothing is removed: what is gone at the source is only said. A profile's key is in no
list, so that each new account refers to a variable that the operator sets.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from archiver.fleet.account_lists import ListedTenant
from archiver.fleet.database import FleetAccount
from archiver.human import plain_name
from archiver.models import SourceProfile

_KEY = "profile_key"
_LONGEST = 48
"""Letters of a title in the name of a tenant, which has 63 at most."""
_LONGEST_REF = 500


@dataclass(slots=True)
class ProfilePlan:
    """What is new. `profiles` has the id of the profile of each tenant that is to be made.

    `notes` says what is left out, and what is gone at the source.
    """

    tenants: list[ListedTenant] = field(default_factory=list)
    profiles: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def variables(self) -> list[str]:
        """The variables that the new accounts refer to, each once."""
        found = {str(a.options[_KEY]) for tenant in self.tenants for a in tenant.accounts}
        return sorted(reference.removeprefix("env:") for reference in found)


@dataclass(slots=True)
class _Known:
    """A tenant that is there, and its accounts at the source, by platform."""

    name: str
    settings: str | None
    profile: str | None
    references: set[str] = field(default_factory=set)
    accounts: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


def plan_profiles(
    connection: "psycopg.Connection[Any]", source: str, profiles: Iterable[SourceProfile],
    readable: Collection[str],
) -> ProfilePlan:  # fmt: skip
    """What is new among the profiles of a source.

    `readable` are the platforms that can be read through the source.
    """
    known = _known_tenants(connection, source)
    by_profile = {tenant.profile: tenant for tenant in known.values() if tenant.profile}
    plan = ProfilePlan()
    listed = set()
    without_id = 0
    for profile in profiles:
        if not 0 < len(profile.ref) <= _LONGEST_REF or not profile.ref.isprintable():
            without_id += 1
            continue
        ref = f"{source}:{profile.ref}"
        if ref in listed:
            continue
        listed.add(ref)
        platforms = [name for name in profile.platforms if name in readable]
        if (tenant := by_profile.get(ref)) is not None:
            _compare(plan, tenant, profile, platforms, source)
        else:
            _plan_new(plan, known, profile, platforms, ref, source)
    if without_id:
        plan.notes.append(f"Left out, since they have no id: {without_id}")
    for ref, tenant in by_profile.items():
        if ref.startswith(f"{source}:") and ref not in listed:
            plan.notes.append(f"{tenant.name}: its profile is gone at {source}; it is kept")
    return plan


def _compare(
    plan: ProfilePlan, tenant: _Known, profile: SourceProfile, platforms: Sequence[str],
    source: str,
) -> None:  # fmt: skip
    """What a tenant lacks, and what of it is gone."""
    if profile.suspended:
        plan.notes.append(f"{tenant.name}: its profile is suspended at {source}")
        return
    new = [name for name in platforms if name not in tenant.accounts]
    if new:
        # as the tenant's other accounts, where they agree: that may have been set by hand
        reference = next(iter(tenant.references)) if len(tenant.references) == 1 else None
        accounts = [
            account for account in _accounts(tenant.name, new, source, reference)
            if account.name not in tenant.names
        ]  # fmt: skip
        plan.tenants.append(ListedTenant(tenant.name, tenant.settings, accounts))
    plan.notes += [
        f"{tenant.name}: {name} is not linked at {source} any more; it is kept"
        for platform, name in tenant.accounts.items()
        if platform not in profile.platforms
    ]


def _plan_new(
    plan: ProfilePlan, known: Mapping[str, _Known], profile: SourceProfile,
    platforms: Sequence[str], ref: str, source: str,
) -> None:  # fmt: skip
    name = _name_of(profile)
    if name in plan.profiles or (name in known and known[name].profile):
        name = _name_of(profile, unlike_others=True)
    if name in known or name in plan.profiles:
        plan.notes.append(f"{name}: a tenant of this name is there already, and was left alone")
    elif profile.suspended:
        plan.notes.append(f"{name}: not added, since its profile is suspended at {source}")
    elif not platforms:
        plan.notes.append(f"{name}: not added, since it has nothing linked that can be read")
    else:
        plan.profiles[name] = ref
        plan.tenants.append(ListedTenant(name, None, _accounts(name, platforms, source)))


def _accounts(
    tenant: str, platforms: Iterable[str], source: str, reference: str | None = None
) -> list[FleetAccount]:
    reference = reference or f"env:PROFILE_KEY_{tenant.upper().replace('-', '_')}"
    return [
        FleetAccount(f"{tenant}-{platform}", platform, source, {_KEY: reference})
        for platform in platforms
    ]


def _name_of(profile: SourceProfile, *, unlike_others: bool = False) -> str:
    """The name of a tenant by a title, whatever that holds; and by the id, where need be."""
    words = plain_name(profile.title[:200])[:_LONGEST].strip("-")
    if words and not unlike_others:
        return words
    digest = hashlib.sha256(profile.ref.encode("utf-8", "replace")).hexdigest()
    return f"{words or 'profile'}-{digest[:8]}"


def add_planned(connection: "psycopg.Connection[Any]", plan: ProfilePlan) -> tuple[int, int]:
    """Add what is new; how many tenants and accounts that were.

    What somebody else has added meanwhile stays as it is.
    """
    tenants = accounts = 0
    for tenant in plan.tenants:
        with connection.transaction():
            if tenant.name in plan.profiles:
                made = connection.execute(
                    "INSERT INTO fleet.tenants (name, profile) VALUES (%s, %s)"
                    " ON CONFLICT DO NOTHING",
                    (tenant.name, plan.profiles[tenant.name]),
                ).rowcount
                if not made:
                    continue
                tenants += made
            for account in tenant.accounts:
                accounts += connection.execute(
                    "INSERT INTO fleet.accounts (tenant_id, name, platform, source, options)"
                    " SELECT id, %s, %s, %s, jsonb_build_object(%s::text, %s::text)"
                    " FROM fleet.tenants WHERE name = %s AND deleting_since IS NULL"
                    " ON CONFLICT DO NOTHING",
                    (account.name, account.platform, account.source, _KEY, account.options[_KEY],
                     tenant.name),
                ).rowcount  # fmt: skip
    return tenants, accounts


def _known_tenants(connection: "psycopg.Connection[Any]", source: str) -> dict[str, _Known]:
    rows = connection.execute(
        "SELECT t.name AS tenant, t.settings, t.profile, a.name, a.platform, a.source,"
        " a.options->>%s AS reference FROM fleet.tenants t"
        " LEFT JOIN fleet.accounts a ON a.tenant_id = t.id ORDER BY t.id, a.id",
        (_KEY,),
    )
    known: dict[str, _Known] = {}
    for row in rows:
        tenant = known.setdefault(row.tenant, _Known(row.tenant, row.settings, row.profile))
        if row.name is None:
            continue
        tenant.names.add(row.name)
        if row.source in {None, source}:
            tenant.accounts.setdefault(row.platform, row.name)
            if row.reference:
                tenant.references.add(row.reference)
    return known
