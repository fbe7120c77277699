"""Where a service listens: real sockets of every kind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from service.server.listening import ListenError, address, listening_sockets
from service.settings import Settings
from tests.service.processes import START, start, wait_until
from tests.service.server.connections import ready


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is killed at the end, if it hasn't ended by then."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def settings(**more: object) -> Settings:
    return Settings(_env_file=None, **more)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_service_answers_on_a_unix_socket_and_removes_it(bundles: Path, tmp_path: Path, workers: str):
    path = tmp_path / "s.sock"
    flags = ["--model", str(bundles / "grey"), "--uds", str(path), "--workers", workers, "--drain-seconds", "0"]
    with ended(start(*flags)) as process:
        wait_until(lambda: ready(path))
        assert path.stat().st_mode & 0o777 == 0o666
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
        assert process.returncode == 0
        assert f"listening on unix:{path}," in log
        assert not path.exists()


def test_a_socket_that_was_left_over_is_replaced(bundles: Path, tmp_path: Path):
    path = tmp_path / "s.sock"
    flags = ["--model", str(bundles / "grey"), "--uds", str(path)]
    with ended(start(*flags)) as process:
        wait_until(lambda: ready(path))
        process.kill()
        process.wait(60)
    assert path.is_socket()
    with ended(start(*flags)):
        wait_until(lambda: ready(path))


def test_a_socket_in_use_and_other_files_are_refused_and_kept(tmp_path: Path):
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with (
            pytest.raises(ListenError, match=r"s\.sock: another process listens there"),
            listening_sockets(settings(uds=path)),
        ):
            pass
    assert path.is_socket()
    file = tmp_path / "file"
    file.write_text("kept")
    with pytest.raises(ListenError, match="file: it is no socket"), listening_sockets(settings(uds=file)):
        pass
    assert file.read_text() == "kept"
    with (
        pytest.raises(ListenError, match=r"No such file or directory"),
        listening_sockets(settings(uds=tmp_path / "no" / "s")),
    ):
        pass
    with pytest.raises(ListenError, match=r"too long"), listening_sockets(settings(uds=tmp_path / ("x" * 200))):
        pass


def test_the_socket_of_the_next_service_is_kept(tmp_path: Path):
    path = tmp_path / "s.sock"
    with ExitStack() as next_service:
        with listening_sockets(settings(uds=path)) as (first,):
            first.close()
            (second,) = next_service.enter_context(listening_sockets(settings(uds=path)))
        assert path.is_socket()
        second.close()
    assert not path.exists()


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_an_open_socket_is_taken_by_its_number(
    bundles: Path, tmp_path: Path, workers: str, family: socket.AddressFamily
):
    with socket.socket(family) as opened:
        opened.bind(str(tmp_path / "s") if family == socket.AF_UNIX else ("127.0.0.1", 0))
        opened.listen()
        flags = ["--model", str(bundles / "grey"), "--fd", str(opened.fileno()), "--workers", workers]
        command = [sys.executable, "-c", START, *flags]
        with ended(subprocess.Popen(command, pass_fds=[opened.fileno()], stderr=subprocess.DEVNULL, text=True)):
            if family == socket.AF_UNIX:
                wait_until(lambda: ready(tmp_path / "s"))
            else:  # connections wait until the service accepts them
                answer = httpx2.get(f"http://127.0.0.1:{opened.getsockname()[1]}/health/live", timeout=60)
                assert answer.status_code == 200


def test_systemd_passes_sockets_by_its_variables(bundles: Path, tmp_path: Path):
    """By a shell in systemd's place: the variables hold for the process with that id."""
    with socket.create_server(("127.0.0.1", 0)) as first, socket.socket(socket.AF_UNIX) as second:
        second.bind(str(tmp_path / "s"))
        script = f'exec 3<&{first.fileno()} 4<&{second.fileno()}; LISTEN_PID=$$ LISTEN_FDS=2 exec "$@"'
        flags = ["--model", str(bundles / "grey"), "--port", "1"]
        command = ["bash", "-c", script, "-", sys.executable, "-c", START, *flags]
        fds = [first.fileno(), second.fileno()]
        with ended(subprocess.Popen(command, pass_fds=fds, stderr=subprocess.DEVNULL, text=True)):
            wait_until(lambda: ready(tmp_path / "s"))
            assert httpx2.get(f"http://127.0.0.1:{first.getsockname()[1]}/decode").status_code == 200


def test_variables_for_another_process_pass_no_sockets(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LISTEN_PID", str(os.getpid() + 1))
    monkeypatch.setenv("LISTEN_FDS", "1")
    with listening_sockets(settings(port=0)) as (listening,), listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_what_is_no_socket_to_listen_on_is_refused(tmp_path: Path):
    with (
        (tmp_path / "file").open("w") as file,
        pytest.raises(ListenError, match=r"file descriptor .*: Socket operation"),
    ):
        listening_sockets(settings(fd=file.fileno())).__enter__()
    with pytest.raises(ListenError, match="file descriptor 999: Bad file descriptor"):
        listening_sockets(settings(fd=999)).__enter__()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
def test_the_ipv6_address_for_all_takes_ipv4_too(bundles: Path):
    flags = ["--model", str(bundles / "grey"), "--host", "::", "--port", "0", "--forwarded-allow-ips", "127.0.0.1"]
    with ended(start(*flags)) as process:
        assert process.stderr
        line = next(line for line in process.stderr if "listening on" in line)
        port = int(line.partition("http://[::]:")[2].partition(" ")[0])
        assert f"listening on http://[::]:{port} and http://0.0.0.0:{port}," in line

        def client_of_next_request() -> str:
            line = next(line for line in process.stderr or () if "spritevae.access" in line)
            return line.partition('"client": "')[2].partition('"')[0]

        for host, client in (("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")):
            assert httpx2.get(f"http://{host}:{port}/health/live").status_code == 200
            assert client_of_next_request() == client
            rebound = httpx2.get(f"http://{host}:{port}/models", headers={"Host": "elsewhere.example"})
            assert rebound.status_code == 400, "over a loopback address only this machine may be named"
            client_of_next_request()
        httpx2.get(f"http://127.0.0.1:{port}/health/live", headers={"X-Forwarded-For": "192.0.2.7"})
        assert client_of_next_request() == "192.0.2.7"
        httpx2.get(f"http://[::1]:{port}/health/live", headers={"X-Forwarded-For": "192.0.2.7"})
        assert client_of_next_request() == "::1", "this one is not believed"


def test_an_address_is_told_as_a_link():
    with socket.create_server(("127.0.0.1", 0)) as plain:
        assert address(plain) == f"http://127.0.0.1:{plain.getsockname()[1]}"
    if socket.has_dualstack_ipv6():
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as plain:
            assert address(plain) == f"http://[::1]:{plain.getsockname()[1]}"
