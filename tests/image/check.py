"""`make image-test`: the image is built, run read-only as nobody, asked, and told to end. Standard library only."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.image.build import base_image, build
from tests.image.engine import Engine, Failure

IMAGE = "spritevae:test"
# As README has it, under "Deploy".
HARDENED = "--read-only --cap-drop all --security-opt no-new-privileges --memory 2g --stop-timeout 30"
# podman asks for more than some machines allow.
LIMITS = ("--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096")
ASKED = {"shape": "heart", "scale": 3, "orientation": 12, "pos_x": 20, "pos_y": 9}
PATIENCE_SECONDS = 60
WRITE = "find / -xdev -writable ! -fstype tmpfs 2>/dev/null; touch /opt/spritevae/file 2>&1 || true"
UNWANTED = "import importlib.util as u; print([n for n in ('torch', 'onnx', 'pip') if u.find_spec(n)])"


@contextmanager
def running(engine: Engine) -> Iterator[tuple[str, str]]:
    """A container and its URL; its log is shown if what is done with it fails."""
    container = engine("run", "--detach", "--publish=127.0.0.1::8000", *HARDENED.split(), *LIMITS, IMAGE)
    try:
        yield container, "http://" + engine("port", container, "8000").splitlines()[0]
    except Exception:
        subprocess.run([engine.name, "logs", container], check=False)
        raise
    finally:
        engine("rm", "--force", container)


def wait_until_ready(url: str) -> None:
    """Until ``/health/ready`` answers 200."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url}/health/ready", timeout=5).close()
            return
        except OSError:  # refused, reset or 503
            time.sleep(0.02)
    raise Failure(f"not ready within {PATIENCE_SECONDS} s")


def check_answers(url: str) -> None:
    """What is drawn is read back as what was asked for."""
    drawn = _post(f"{url}/decode", json.dumps({"attributes": ASKED}).encode(), "application/json")
    items = json.loads(_post(f"{url}/encode", drawn, "image/png"))["items"]
    read = {name: each.get("label", each["index"]) for name, each in items[0]["attributes"].items()}
    _expect(read == ASKED, f"asked for {ASKED}, read {read}")


def check_confinement(engine: Engine, container: str) -> None:
    """Nobody, without capabilities, on a root where nothing can be written and nothing lies that isn't needed."""
    status = _status(engine, container)
    _expect(status["Uid"].split() == ["10001"] * 4, f"runs as {status['Uid']}")
    _expect(int(status["CapBnd"], 16) == 0 and status["NoNewPrivs"] == "1", "has capabilities, or may get some")
    written = engine("exec", container, "sh", "-c", WRITE).splitlines()
    _expect(len(written) == 1 and written[0].endswith("Read-only file system"), f"can be written: {written}")
    unwanted = engine("exec", container, "python", "-c", UNWANTED)
    _expect(unwanted == "[]", f"in the image: {unwanted}")


def check_health(engine: Engine, container: str) -> None:
    """The image's own health check succeeds."""
    kind, *test = json.loads(engine("image", "inspect", "--format={{json .Config.Healthcheck.Test}}", IMAGE))
    _expect(kind == "CMD", f"health check by {kind}")
    engine("exec", container, *test)


def check_end(engine: Engine, container: str) -> None:
    """It ends with 0 on SIGTERM, before its ``--stop-timeout``."""
    engine("stop", container)
    code = engine("inspect", "--format={{.State.ExitCode}}", container)
    _expect(code == "0", f"ended with {code} on SIGTERM")


def main() -> None:
    """Build and check the image, and print what was measured; raises Failure."""
    engine = Engine()
    with _timed("base image"):
        base = base_image(engine)
    with _timed("build"):
        build(engine, base, IMAGE)
    for name in (base, IMAGE):
        print(f"{name}: {int(engine('image', 'inspect', '--format={{.Size}}', name)) / 1e6:.0f} MB")
    with _timed("from run to removal"), running(engine) as (container, url):
        with _timed("ready"):
            wait_until_ready(url)
        check_answers(url)
        print(f"resident memory: {_status(engine, container)['VmRSS']}")
        check_confinement(engine, container)
        check_health(engine, container)
        with _timed("SIGTERM to exit 0"):
            check_end(engine, container)
    print(f"{engine.name}: all as it should be. {engine.name} rmi {IMAGE} removes the image")


def _status(engine: Engine, container: str) -> dict[str, str]:
    lines = engine("exec", container, "cat", "/proc/1/status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _post(url: str, body: bytes, media_type: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": media_type}), timeout=10) as answer:
        return bytes(answer.read())


def _expect(truth: bool, otherwise: str) -> None:
    if not truth:
        raise Failure(otherwise)


@contextmanager
def _timed(what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - started:.1f} s", flush=True)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"image-test: {failure}")
