"""Offline: no socket of this process reaches beyond this machine, whichever library opens it."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from typing import Any

from codeseek.errors import ModelError

_REFUSED = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "socket.getnameinfo": 0,
}
"""Python's own events that name an address, and which of their arguments it is.

A name that is given to `connect` itself has been looked up before the event; libraries look names up by `getaddrinfo`.
"""

_offline = False


def go_offline() -> None:
    """Forbid, from now on, every connection and every look-up of a name but those of this machine.

    What breaks it raises `ModelError` out of the library that tried. Processes that are started inherit the setting.
    """
    global _offline  # noqa: PLW0603 # there is one network, and an audit hook cannot be taken away
    if not _offline:
        sys.addaudithook(_watch)
    _offline = True
    os.environ["CODESEEK_OFFLINE"] = "true"


def is_loopback(host: str) -> bool:
    """Tell whether a host's name or address is this machine's own."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # such as ::ffff:127.0.0.1
    return (mapped or address).is_loopback


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _REFUSED:
        return
    address = arguments[_REFUSED[event]]
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        family = arguments[0].family
        if family == getattr(socket, "AF_UNIX", None) or (address is None and event == "socket.sendmsg"):
            return  # a file, or a socket that is connected already
        if family not in (socket.AF_INET, socket.AF_INET6):
            raise _refusal(str(address))
    host = address[0] if isinstance(address, tuple) else address
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host and not is_loopback(host):
        raise _refusal(str(host))


def _refusal(host: str) -> ModelError:
    return ModelError(
        f"offline: `{host}` was not contacted", hint="leave out `--offline`, or set `offline` to false to allow it"
    )
