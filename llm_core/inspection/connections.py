"""Which network connections this process and its children have open, sorted by what they are."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import psutil

Kind = Literal["listening", "browser", "inside", "outside"]


@dataclass(frozen=True)
class Connection:
    """One connection: its two ends as "address:port", and its kind.

    "listening" waits for browsers; "browser" was opened from elsewhere to a port that this process
    listens on; "inside" goes from this machine to itself; "outside" goes to another machine,
    and was opened here.
    """

    kind: Kind
    local: str
    remote: str


def own_connections() -> tuple[Connection, ...]:
    """Return the connections of this process and of those that it has started.

    Raises ValueError where the system does not tell.
    """
    me = psutil.Process()
    try:
        found = [link for process in (me, *me.children(recursive=True)) for link in _of(process)]
    except (psutil.AccessDenied, OSError) as error:
        raise ValueError("This system does not let a program list its connections.") from error
    return sort_connections(found)


def sort_connections(found: Iterable[Any]) -> tuple[Connection, ...]:
    """Tell what each of psutil's connections is; closed ones, which go nowhere, are left out."""
    links = [link for link in found if link.status not in _GONE]
    ports = {link.laddr.port for link in links if link.status == psutil.CONN_LISTEN}
    return tuple(_connection(link, ports) for link in links)


_GONE = {psutil.CONN_CLOSE, psutil.CONN_TIME_WAIT, psutil.CONN_CLOSE_WAIT}


def _of(process: psutil.Process) -> list[Any]:
    try:
        return list(process.net_connections(kind="tcp"))
    except psutil.NoSuchProcess:  # a child that has just ended
        return []


def _connection(link: Any, ports: set[int]) -> Connection:
    local = f"{link.laddr.ip}:{link.laddr.port}"
    remote = f"{link.raddr.ip}:{link.raddr.port}" if link.raddr else ""
    if link.status == psutil.CONN_LISTEN:
        return Connection("listening", local, remote)
    if link.laddr.port in ports:
        return Connection("browser", local, remote)
    inside = link.raddr and is_this_machine(link.raddr.ip)
    return Connection("inside" if inside or not link.raddr else "outside", local, remote)


def is_this_machine(address: str) -> bool:
    """Is it a loopback address, such as 127.0.0.1?"""
    plain = address.removeprefix("::ffff:")
    try:
        return ipaddress.ip_address(plain).is_loopback
    except ValueError:
        return False
