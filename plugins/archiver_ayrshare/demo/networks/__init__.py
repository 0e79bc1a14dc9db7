"""The ten networks of the world, one module each, with its `NETWORK`."""

from importlib import import_module

from archiver_ayrshare.accounts import PLATFORMS
from archiver_ayrshare.demo.networks.base import Network

NETWORKS: dict[str, Network] = {
    name: import_module(f"{__name__}.{name}").NETWORK for name in PLATFORMS
}
"""Them, by name."""

__all__ = ["NETWORKS", "Network"]
