"""The servers that are compared, and how each is started."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers.pair import BUNDLE, WORKERS
from benchmarks.protocols import OpenInference, Predictions, Protocol

ROOT = Path(__file__).parent.parent
ENVIRONMENTS = Path(__file__).parent / "venvs"
REQUIREMENTS = Path(__file__).parent / "requirements"
OURS, BARE, PLAIN = "spritevae", "bare", "fastapi-plain"

Arguments = Callable[[Path, int, int], list[str]]
"""Of Python, from the bundle, the port and the number of worker processes."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server: its name, the distributions and programs that it needs, and its command.

    It runs in the environment of its name, if there is one, else in this one. ``answers``: it answers what is asked.
    """

    name: str
    needs: tuple[str, ...]
    arguments: Arguments
    programs: tuple[str, ...] = ()
    protocol: Protocol = field(default_factory=Protocol)
    answers: bool = True

    @property
    def python(self) -> Path:
        """The interpreter that runs it."""
        own = ENVIRONMENTS / self.name / "bin" / "python"
        return own if own.exists() else Path(sys.executable)

    def versions(self) -> dict[str, str]:
        """Versions of what it needs, and of Python, as far as they are installed."""
        code = """
import importlib.metadata, json, platform, sys
versions = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        versions[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(versions))
"""
        found: dict[str, str] = json.loads(subprocess.check_output([self.python, "-c", code, *self.needs]))
        return found

    def installed(self) -> bool:
        """Whether all that it needs is there."""
        return {*self.needs} <= self.versions().keys() and all(map(shutil.which, self.programs))

    def command(self, bundle: Path, port: int, workers: int) -> list[str]:
        """What starts it, in ``ROOT``, with ``environment``."""
        return [str(self.python), *self.arguments(bundle, port, workers)]

    @staticmethod
    def environment(bundle: Path, workers: int) -> dict[str, str]:
        """The variables that it needs."""
        return {BUNDLE: str(bundle), WORKERS: str(workers)}


def install(server: Server) -> None:
    """Make the environment of its name; raises CalledProcessError where that fails."""
    folder = ENVIRONMENTS / server.name
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    requirements = REQUIREMENTS / f"{server.name}.txt"
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", "-r", requirements], check=True)


def _ours(bundle: Path, port: int, workers: int) -> list[str]:
    flags = ["--workers", str(workers), "--cache-bytes", "0", "--log-level", "warning"]
    return ["-m", "spritevae", "serve", "--model", str(bundle), "--port", str(port), *flags]


def _uvicorn(module: str) -> Arguments:
    def arguments(_bundle: Path, port: int, workers: int) -> list[str]:
        app = f"benchmarks.peers.{module}:app"
        return ["-m", "uvicorn", app, "--port", str(port), "--workers", str(workers), "--log-level", "warning"]

    return arguments


def _module(name: str) -> Arguments:
    def arguments(_bundle: Path, port: int, _workers: int) -> list[str]:
        return ["-m", f"benchmarks.peers.{name}", str(port)]

    return arguments


def _bentoml(_bundle: Path, port: int, _workers: int) -> list[str]:
    return ["-m", "bentoml", "serve", "benchmarks.peers.bentoml:Service", "--port", str(port)]


_MODEL = ("onnxruntime", "pillow", "numpy")
_FASTAPI = ("fastapi", "uvicorn", "uvloop", "httptools", *_MODEL)

SERVERS = {
    server.name: server
    for server in (
        Server(name=OURS, needs=("spritevae", *_FASTAPI), arguments=_ours),
        Server(name=BARE, needs=("uvicorn", "uvloop", "httptools"), arguments=_uvicorn("bare"), answers=False),
        Server(name=PLAIN, needs=_FASTAPI, arguments=_uvicorn("fastapi_plain")),
        Server(name="fastapi-batched", needs=("batched", *_FASTAPI), arguments=_uvicorn("fastapi_batched")),
        Server(name="bentoml", needs=("bentoml", "uvicorn", *_MODEL), arguments=_bentoml),
        Server(name="ray-serve", needs=("ray", "fastapi", "uvicorn", *_MODEL), arguments=_module("ray_serve")),
        Server(
            name="mlserver",
            needs=("mlserver", "fastapi", "uvicorn", *_MODEL),
            arguments=_module("mlserver"),
            protocol=OpenInference(),
        ),
        Server(
            name="pytriton",
            needs=("nvidia-pytriton", *_MODEL),
            arguments=_module("pytriton"),
            protocol=OpenInference(),
        ),
        Server(
            name="torchserve",
            needs=("torchserve", "torch", *_MODEL),
            arguments=_module("torchserve"),
            programs=("java",),
            protocol=Predictions(),
        ),
        Server(name="litserve", needs=("litserve", "uvicorn", *_MODEL), arguments=_module("litserve")),
    )
}
