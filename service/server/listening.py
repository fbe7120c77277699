"""The sockets that a service listens on: an address, a Unix socket, or what the process that started it has opened."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EADDRINUSE, EEXIST
from pathlib import Path

from service.settings import Settings

BACKLOG = 2048
# Bytes that the kernel keeps for a connection beyond those that the client has room for.
UNSENT_BYTES = 2**17
# Every user may connect, as to uvicorn: who shouldn't must not be able to open the folder.
UNIX_SOCKET_MODE = 0o666
# The first file descriptor that systemd passes: sd_listen_fds(3).
FIRST_FD = 3


class ListenError(OSError):
    """The service can't listen; the message says where and why."""


@contextmanager
def listening_sockets(settings: Settings) -> Iterator[list[socket.socket]]:
    """The sockets that settings or systemd tell; a Unix socket's file is removed at the end. Raises ListenError."""
    made: os.stat_result | None = None
    place = f"{settings.host}:{settings.port}"
    try:
        if settings.uds:
            place = str(settings.uds)
            sockets = [_unix_socket(settings.uds)]
            made = settings.uds.stat()
        elif fds := [settings.fd] if settings.fd is not None else _systemd_fds():
            place = f"file descriptor {', '.join(map(str, fds))}"
            sockets = [_inherited(fd) for fd in fds]
        else:
            sockets = [_address_socket(settings.host, settings.port)]
    except OSError as error:
        raise ListenError(f"can't listen on {place}: {error.strerror or error}") from None
    for listening in sockets:
        _keep_little_unsent(listening)
    try:
        yield sockets
    finally:
        if settings.uds and made:
            with suppress(FileNotFoundError):
                found = settings.uds.stat()
                # Another service may have its socket there by now, perhaps with the same number of inode.
                if os.path.samestat(found, made) and found.st_mtime_ns == made.st_mtime_ns:
                    settings.uds.unlink()


def address(listening: socket.socket) -> str:
    """Where a socket listens, for people."""
    name = listening.getsockname()
    if listening.family == socket.AF_UNIX:
        return f"unix:{name}"
    host, port = name[:2]
    if listening.family != socket.AF_INET6:
        return f"http://{host}:{port}"
    both = host == "::" and not listening.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    return f"http://[{host}]:{port}" + (f" and http://0.0.0.0:{port}" if both else "")


def _keep_little_unsent(listening: socket.socket) -> None:
    """Have the kernel keep little that its connections can't send: it would keep megabytes, which nobody counts."""
    if listening.family in (socket.AF_INET, socket.AF_INET6):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)


def _address_socket(host: str, port: int) -> socket.socket:
    if ":" not in host:
        return socket.create_server((host, port), backlog=BACKLOG)
    both = socket.has_dualstack_ipv6()
    return socket.create_server((host, port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=both)


def _unix_socket(path: Path) -> socket.socket:
    if path.is_socket():
        if _is_live(path):
            raise OSError(EADDRINUSE, "another process listens there")
        path.unlink()
    elif path.exists():
        raise OSError(EEXIST, "it is no socket; accepts a free path, or a socket that nobody listens on any more")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    path.chmod(UNIX_SOCKET_MODE)
    listening.listen(BACKLOG)
    return listening


def _is_live(path: Path) -> bool:
    """Whether a process listens on a Unix socket. One that can't be tried may be somebody's."""
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True


def _inherited(fd: int) -> socket.socket:
    listening = socket.socket(fileno=fd)
    listening.listen(BACKLOG)
    return listening


def _systemd_fds() -> list[int]:
    """The file descriptors that systemd passes to this process (socket activation)."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    return list(range(FIRST_FD, FIRST_FD + int(os.environ.get("LISTEN_FDS", "0"))))
