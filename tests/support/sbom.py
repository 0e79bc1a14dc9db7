"""Writes a bill of materials beside a wheel: `sbom.py WHEEL`, in CycloneDX JSON.

It lists what the wheel needs, directly and by way of others, in the versions that are installed
here, which are those that its tests ran with. What only an extra needs has the scope `optional`;
an extra that is not installed is left out.
"""

import email
import os
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def write_sbom(wheel: Path) -> Path:
    """Write it beside the wheel, as `NAME-VERSION.cdx.json`; returns its path."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(archive.read(name))
    path = wheel.with_name(f"{metadata['Name']}-{metadata['Version']}.cdx.json")
    bom = _bom(wheel, metadata["Name"], metadata["Version"], metadata.get_all("Requires-Dist", []))
    path.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n", "utf-8")
    return path


def _bom(wheel: Path, name: str, version: str, requires: list[str]) -> Bom:
    digest = sha256(wheel.read_bytes()).hexdigest()
    product = _component(name, version, ComponentType.APPLICATION)
    product.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=digest))
    needed = [Requirement(text) for text in requires]
    required = _closure(each for each in needed if _applies(each))
    every = _closure(each for each in needed if _applies(each) or _is_of_extra(each))
    components = {
        found: _component(found, distribution.version, ComponentType.LIBRARY, distribution)
        for found, distribution in every.items()
    }
    for found in components.keys() - required.keys():
        components[found].scope = ComponentScope.OPTIONAL
    bom = Bom(components=components.values(), serial_number=uuid5(NAMESPACE_URL, digest))
    bom.metadata.timestamp = _made_at()
    bom.metadata.component = product
    direct = {canonicalize_name(each.name) for each in needed} & components.keys()
    bom.register_dependency(product, [components[found] for found in sorted(direct)])
    for found, distribution in every.items():
        inner = {canonicalize_name(each.name) for each in _requirements(distribution)}
        depends_on = [components[each] for each in sorted(inner & components.keys())]
        bom.register_dependency(components[found], depends_on)
    return bom


def _component(
    name: str, version: str, kind: ComponentType, distribution: Distribution | None = None
) -> Component:
    address = PackageURL("pypi", name=canonicalize_name(name), version=version)
    said = {} if distribution is None else distribution.metadata.json
    licence = said.get("license_expression")
    return Component(
        name=name, version=version, type=kind, purl=address, bom_ref=str(address),
        licenses=[LicenseFactory().make_from_string(str(licence))] if licence else [],
    )  # fmt: skip


def _closure(requirements: Iterator[Requirement]) -> dict[str, Distribution]:
    """The installed distributions that are required, directly or by way of others, by name."""
    found: dict[str, Distribution] = {}
    waiting = list(requirements)
    while waiting:
        name = canonicalize_name(waiting.pop().name)
        if name in found:
            continue
        try:
            found[name] = Distribution.from_name(name)
        except PackageNotFoundError:  # an extra that is not installed, or for another system
            continue
        waiting += _requirements(found[name])
    return dict(sorted(found.items()))


def _requirements(distribution: Distribution) -> Iterator[Requirement]:
    """What a distribution requires here, without extras."""
    for text in distribution.requires or ():
        if _applies(requirement := Requirement(text)):
            yield requirement


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def _is_of_extra(requirement: Requirement) -> bool:
    return "extra ==" in str(requirement.marker)


def _made_at() -> datetime:
    """Now, unless the build is to be repeated: https://reproducible-builds.org/docs/source-date-epoch/."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.now(UTC) if epoch is None else datetime.fromtimestamp(int(epoch), UTC)


if __name__ == "__main__":
    sys.stdout.write(f"{write_sbom(Path(sys.argv[1]))}\n")
