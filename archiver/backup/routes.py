"""The proxy and certificates of all clients of a run, from the config."""

from archiver.net.proxy import Route, proxy_of
from archiver.settings import NetworkSettings


def route_of(network: NetworkSettings) -> Route:
    """The route that `[network]` describes, with its secrets resolved.

    Raises ConfigError and SecretError.
    """
    if network.proxy is None:
        return Route(ca_bundle=network.ca_bundle)
    credentials = network.proxy_credentials or network.proxy.credentials
    return Route(proxy_of(network.proxy.url, credentials), network.ca_bundle)
