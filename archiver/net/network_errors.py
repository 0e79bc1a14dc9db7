"""What an error of a connection means, in words instead of the numbers of the operating system."""

import errno
import socket

_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
_CUT_OFF = frozenset({errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE})


def describe_lookup_error(host: str, error: OSError) -> str:
    """Why a name has no address: it does not exist, or nobody can be asked for it."""
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        return f"no name server answers for {host}; is this machine online?"
    if isinstance(error, socket.gaierror):
        return f"there is no host {host}, or this machine is not online"
    return f"the name {host} cannot be resolved: {error.strerror or error}"


def describe_connect_error(host: str, port: int, error: OSError) -> str:
    """Why there is no connection to a port of a host."""
    if isinstance(error, socket.gaierror):
        return describe_lookup_error(host, error)
    if error.errno == errno.ECONNREFUSED:
        return f"{host} refuses the connection: nothing listens on port {port}"
    if error.errno in _UNREACHABLE:
        return f"there is no route to {host}; is this machine online?"
    if error.errno == errno.ETIMEDOUT:
        return f"{host} does not answer on port {port}"
    return describe_broken_connection(error)


def describe_broken_connection(error: Exception) -> str:
    """Why a connection that was there is no more."""
    number = error.errno if isinstance(error, OSError) else None
    if number in _CUT_OFF:
        return "the other side cut the connection"
    if number == errno.ETIMEDOUT:
        return "the other side does not answer any more"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
