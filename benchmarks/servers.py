"""The servers that are compared, and how each is started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers.pair import BUNDLE, WORKERS
from benchmarks.protocols import COMMON_FORMS, OWN_FORMS, Form, OpenInference, Predictions, Protocol

ROOT = Path(__file__).parent.parent
ENVIRONMENTS = Path(__file__).parent / "venvs"
REQUIREMENTS = Path(__file__).parent / "requirements"
OURS, BARE, PLAIN = "spritevae", "bare", "fastapi-plain"
# Starts the service of the checkout that comes first on the path, in this version and in earlier ones.
SERVE = "import sys; from service.main import serve; sys.exit(serve(sys.argv[1:]))"

# Arguments of Python, made from the bundle, the port and the number of worker processes.
Arguments = Callable[[Path, int, int], list[str]]


class CheckoutError(RuntimeError):
    """A folder that is no checkout of this project."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server: its name, the distributions (``needs``) and programs that it needs, and its command.

    It runs in the virtual environment of its name if there is one, else in this one. ``checkout`` is the folder whose
    code it runs. ``serves_model``: its responses are results of the model, so they are checked.
    """

    name: str
    needs: tuple[str, ...]
    arguments: Arguments
    programs: tuple[str, ...] = ()
    protocol: Protocol = field(default_factory=Protocol)
    forms: tuple[Form, ...] = COMMON_FORMS
    serves_model: bool = True
    checkout: Path = ROOT

    @property
    def python(self) -> Path:
        """The interpreter that runs it."""
        own = ENVIRONMENTS / self.name / "bin" / "python"
        return own if own.exists() else Path(sys.executable)

    def versions(self) -> dict[str, str]:
        """Versions of Python and of what it needs, without what is not installed."""
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
        """Whether all that it needs is installed."""
        return {*self.needs} <= self.versions().keys() and all(map(shutil.which, self.programs))

    def command(self, bundle: Path, port: int, workers: int) -> list[str]:
        """The command that starts it, in the folder ``checkout``, with ``environment``."""
        return [str(self.python), *self.arguments(bundle, port, workers)]

    def environment(self, bundle: Path, workers: int) -> dict[str, str]:
        """Its environment variables, beside those of this process."""
        path = os.pathsep.join([str(self.checkout), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {BUNDLE: str(bundle), WORKERS: str(workers), "PYTHONPATH": path}


def install(server: Server) -> None:
    """Make the virtual environment of its name; raises CalledProcessError if that fails."""
    folder = ENVIRONMENTS / server.name
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    requirements = REQUIREMENTS / f"{server.name}.txt"
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", "-r", requirements], check=True)


def other_checkout(path: Path) -> Server:
    """The service of another checkout of this project, in this environment; raises CheckoutError if it is none.

    Its name is ``spritevae@`` with the commit of a git work tree, or with the folder's name.
    """
    path = path.resolve()
    if not (path / "service" / "main.py").exists():
        raise CheckoutError(f"{path}: no checkout of this project, as it has no service/main.py")
    top = _git(path, "rev-parse", "--show-toplevel")
    commit = _git(path, "rev-parse", "--short", "HEAD") if top == str(path) else ""
    return Server(
        name=f"{OURS}@{commit or path.name}", needs=_FASTAPI, arguments=_service, forms=ALL_FORMS, checkout=path
    )


def _git(folder: Path, *arguments: str) -> str:
    """What a git command prints; nothing if it fails."""
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _service(bundle: Path, port: int, workers: int) -> list[str]:
    flags = ["--workers", str(workers), "--cache-bytes", "0", "--log-level", "warning"]
    return ["-c", SERVE, "--model", str(bundle), "--port", str(port), *flags]


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


ALL_FORMS = COMMON_FORMS + OWN_FORMS
_MODEL = ("onnxruntime", "pillow", "numpy")
_FASTAPI = ("fastapi", "uvicorn", "uvloop", "httptools", *_MODEL)

SERVERS = {
    server.name: server
    for server in (
        Server(name=OURS, needs=("spritevae", *_FASTAPI), arguments=_service, forms=ALL_FORMS),
        Server(name=BARE, needs=("uvicorn", "uvloop", "httptools"), arguments=_uvicorn("bare"), serves_model=False),
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
