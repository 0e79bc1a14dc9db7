"""The ten networks of the world, one module each."""

from archiver_ayrshare.demo.networks import (
    bluesky,
    facebook,
    instagram,
    linkedin,
    pinterest,
    snapchat,
    threads,
    tiktok,
    twitter,
    youtube,
)
from archiver_ayrshare.demo.networks.base import Network

NETWORKS: dict[str, Network] = {
    network.name: network
    for network in (
        bluesky.NETWORK,
        facebook.NETWORK,
        instagram.NETWORK,
        linkedin.NETWORK,
        pinterest.NETWORK,
        snapchat.NETWORK,
        threads.NETWORK,
        tiktok.NETWORK,
        twitter.NETWORK,
        youtube.NETWORK,
    )
}
"""Them, by name."""

__all__ = ["NETWORKS", "Network"]
