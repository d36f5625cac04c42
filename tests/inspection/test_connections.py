"""Connections are told apart by what they are: with real sockets, and with made-up rows."""

import socket
from types import SimpleNamespace

import psutil
import pytest

from llm_core.inspection.connections import is_this_machine, own_connections, sort_connections


def kinds_of(port):
    return sorted(
        link.kind
        for link in own_connections()
        if f":{port}" in link.local + " " + link.remote + " "
        and port in (int(link.local.rpartition(":")[2]), int(link.remote.rpartition(":")[2] or 0))
    )


def test_a_server_and_its_caller_in_this_process():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert kinds_of(port) == ["listening"]
        with socket.create_connection(("127.0.0.1", port)) as _, server.accept()[0]:
            # The accepted end is a visitor's; the calling end is this process talking to itself.
            assert kinds_of(port) == ["browser", "inside", "listening"]


def row(local, remote, status=psutil.CONN_ESTABLISHED):
    def end(address):
        return SimpleNamespace(ip=address[0], port=address[1]) if address else ()

    return SimpleNamespace(laddr=end(local), raddr=end(remote), status=status)


def test_what_was_opened_here_to_another_machine_is_outside():
    found = sort_connections(
        [
            row(("0.0.0.0", 8501), None, psutil.CONN_LISTEN),
            row(("192.0.2.1", 8501), ("198.51.100.7", 50_000)),
            row(("192.0.2.1", 40_000), ("203.0.113.9", 443)),
            row(("::1", 40_001), ("::1", 5000)),
            row(("192.0.2.1", 40_002), ("203.0.113.9", 443), psutil.CONN_TIME_WAIT),
        ]
    )
    assert [link.kind for link in found] == ["listening", "browser", "outside", "inside"]
    assert found[2].remote == "203.0.113.9:443"


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.1.2", False),
        ("::ffff:10.0.0.1", False),
        ("", False),
        ("localhost", False),
    ],
)
def test_loopback_addresses(address, near):
    assert is_this_machine(address) is near


def test_a_system_that_does_not_tell_is_said_in_a_sentence(monkeypatch):
    def refuse(*_, **__):
        raise psutil.AccessDenied()

    monkeypatch.setattr(psutil.Process, "net_connections", refuse)
    with pytest.raises(ValueError, match="does not let a program list"):
        own_connections()
