"""Offline: proven with real sockets in processes of their own, since a hook stays for a process's life."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from codeseek import network, settings

FAR = "192.0.2.1"  # an address that is reserved for documentation


def refused(attempt: str, before: str = "network.go_offline()") -> bool:
    """Run a statement in a new process after going offline; tell whether it was refused, or whether it went through."""
    script = f"""
import socket, sys, urllib.request
from codeseek import network
from codeseek.cli import main
from codeseek.errors import ModelError
{before}
try:
    {attempt}
except ModelError as error:
    print(error.message, error.hint, sep="\\n")
    sys.exit(3)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode in (0, 3), done.stderr
    assert not done.returncode or "was not contacted\nleave out `--offline`" in done.stdout
    return done.returncode == 3


@pytest.mark.parametrize(
    "attempt",
    [
        f"socket.create_connection(('{FAR}', 443), timeout=1)",
        f"socket.socket().connect(('{FAR}', 443))",
        f"socket.socket().connect_ex(('{FAR}', 443))",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 443))",
        "socket.socket(socket.AF_INET6).connect(('::ffff:192.0.2.1', 443))",
        f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{FAR}', 53))",
        f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('{FAR}', 53))",
        "socket.getaddrinfo('huggingface.co', 443)",
        "socket.getaddrinfo(b'huggingface.co', 443)",
        "socket.gethostbyname('huggingface.co')",
        f"socket.gethostbyaddr('{FAR}')",
        f"socket.getnameinfo(('{FAR}', 80), 0)",
        "urllib.request.urlopen('http://huggingface.co/', timeout=1)",
        f"urllib.request.urlopen('http://{FAR}/', timeout=1)",
    ],
)
def test_offline_no_socket_leaves_the_machine(attempt: str) -> None:
    assert refused(attempt)


def test_offline_holds_inside_libraries() -> None:
    assert refused("import huggingface_hub; huggingface_hub.HfApi().model_info('a/b')")


@pytest.mark.parametrize("how", [("--offline",), ()])
@pytest.mark.usefixtures("project")
def test_a_search_shuts_the_network_off_where_it_is_told_to(
    how: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not how:
        path = settings.user_file()
        path.parent.mkdir(parents=True)
        path.write_text("offline = true")
    reach_out = f"socket.getaddrinfo('{FAR}', 1)"
    assert refused(reach_out, before=f"main({['search', 'store', *how]})")
    monkeypatch.setenv("CODESEEK_OFFLINE", "no")
    assert not refused(reach_out, before="main(['search', 'store'])")


def test_offline_this_machine_is_still_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not refused(f"socket.create_connection(('localhost', {port}), timeout=5)")
    assert not refused("socket.getaddrinfo('127.0.0.1', 80); socket.getaddrinfo(None, 0); socket.socketpair()")


def test_a_process_that_is_started_is_offline_too() -> None:
    code = "from codeseek import settings; print(settings.load().offline)"
    attempt = f"import subprocess; assert subprocess.check_output([sys.executable, '-c', {code!r}]) == b'True\\n'"
    assert not refused(attempt)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),  # noqa: S104 # nothing is bound
        ("10.0.0.1", False),
        ("localhost.example.org", False),
        ("huggingface.co", False),
        ("", False),
    ],
)
def test_this_machines_own_addresses_are_known(host: str, own: bool) -> None:
    assert network.is_loopback(host) is own
