"""The bundle store: which models are served, under what names, and how one takes another's place."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import anyio
from anyio import Lock, to_thread

from export.bundle import MANIFEST, Bundle, BundleError, read_bundle
from service.batching.scheduler import Scheduler
from service.inference.engine import Engine
from service.inference.model import Model
from service.inference.providers import CPU, CUDA, TENSORRT, ModelError, batches, cuda_obstacle
from service.observability.metrics import MODEL, Measured
from service.problems import Problem
from service.settings import Settings

log = logging.getLogger("spritevae.store")
SHIPPED = Path(__file__).parents[1] / "bundles"
PATH = re.compile(r"(?<![\w.])(/[\w.+-]+){2,}")
"""onnxruntime tells its own source files, and where this process runs."""
State = frozenset[tuple[str, int, int, int]]
"""What is seen of a folder without reading it: the name, inode, size and time of change of each file."""


class Store:
    """The models of a service. Making one verifies the bundles; ``load`` then makes them ready to run.

    A bundle takes another's place as a whole, or not at all; requests in flight finish on the model they began with.
    Raises BundleError or ModelError for what can't be served.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engines: dict[str, Engine] | None = None
        self._bundles: dict[str, Bundle] = {}
        self._schedulers: dict[str, Scheduler] = {}
        self._states: dict[str, State] = {}
        self._changing = Lock()
        insisted = {"cuda": CUDA, "tensorrt": TENSORRT}.get(settings.device)
        if insisted and (obstacle := cuda_obstacle(insisted)):
            raise ModelError(f"--device {settings.device}: {obstacle}")
        for entry in settings.model:
            path = find_bundle(entry)
            state = state_of(path)
            bundle = read_bundle(path)
            name = bundle.manifest.name
            other = self._bundles.setdefault(name, bundle)
            if other is not bundle:
                raise ModelError(f"two models are named {name!r}: {other.path} and {bundle.path}")
            self._states[name] = state
            height, width, _ = bundle.manifest.image.shape
            if height * width > settings.max_pixels:
                raise ModelError(f"--max-pixels {settings.max_pixels} lets no image of {name} in: {width}x{height}")

    def load(self) -> None:
        """Make every model ready to run, which includes reproducing its golden vectors."""
        self._engines = {name: self._start(bundle) for name, bundle in self._bundles.items()}

    def close(self) -> None:
        """End the threads that run models; what waits for them is not run any more."""
        for scheduler in self._schedulers.values():
            scheduler.close()

    async def load_model(self, name: str) -> None:
        """Serve a model's bundle as it lies in its folder now: verified, and with its golden vectors reproduced.

        Raises Problem 404 for a name that isn't known, 409 with the reason for a bundle that is refused; the model that
        was served before, if any, is served until the switch, and goes on if there is none.
        """
        async with self._changing:
            engines, path = self.engines, self._bundle(name).path
            try:
                bundle, engine = await to_thread.run_sync(self._read, name, path)
            except (BundleError, ModelError) as error:
                reason = str(error).replace(f"{path}/", "").removeprefix(f"{path}: ")
                raise Problem(409, f"{name} can't be loaded: {PATH.sub('(a path)', reason)}") from error
            self._bundles[name] = bundle
            if name in engines:
                _tell(engines[name].model, 0)
            served = {**engines, name: engine}
            self._engines = {each: served[each] for each in self.names if each in served}

    async def unload_model(self, name: str) -> None:
        """Serve a model no longer; raises Problem 404 for a name that isn't known. One that is not served stays so."""
        async with self._changing:
            self._bundle(name)
            if name in self.engines:
                _tell(self.engines[name].model, 0)
            self._engines = {each: engine for each, engine in self.engines.items() if each != name}
            log.info("model %s is unloaded", name)

    async def follow(self) -> None:
        """Load each model anew whenever its folder has changed, until cancelled; a bad bundle is logged, once."""
        while True:
            await anyio.sleep(self._settings.reload_seconds)
            for name in self._engines or ():
                state = await to_thread.run_sync(state_of, self._bundles[name].path)
                if state == self._states[name]:
                    continue
                self._states[name] = state
                try:
                    await self.load_model(name)
                except Problem as problem:
                    log.error("%s; the one before is served on", problem.detail)

    @property
    def default(self) -> str:
        """Name of the default model, the first one."""
        return next(iter(self._bundles))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all models, the default one first, whether they are served or not."""
        return tuple(self._bundles)

    @property
    def loaded(self) -> bool:
        """Whether the models have been loaded."""
        return self._engines is not None

    @property
    def engines(self) -> dict[str, Engine]:
        """The engine of each model that is served, by name; raises Problem 503 while they are being loaded."""
        if self._engines is None:
            raise Problem(503, "models are being loaded", headers={"Retry-After": "1"})
        return self._engines

    @property
    def default_engine(self) -> Engine | None:
        """The engine of the default model, if it is served."""
        return self._engines.get(self.default) if self._engines else None

    def engine(self, name: str | None = None) -> Engine:
        """The engine of a model, by default that of the default one; raises Problem 404 that lists what there is."""
        engines = self.engines
        if name is None:
            name = self.default
        if name not in engines:
            what = "unloaded" if name in self.names else "no"
            there = ", ".join(engines) or "none"
            raise Problem(404, f"{what} model {name[:80]!r}; there is {there}", models=list(engines))
        return engines[name]

    def _bundle(self, name: str) -> Bundle:
        if name not in self._bundles:
            raise Problem(404, f"no model {name[:80]!r}; there is {', '.join(self.names)}", models=[*self.names])
        return self._bundles[name]

    def _read(self, name: str, path: Path) -> tuple[Bundle, Engine]:
        bundle = read_bundle(path)
        if bundle.manifest.name != name:
            raise ModelError(f"its name is {bundle.manifest.name!r} now")
        return bundle, self._start(bundle)

    def _start(self, bundle: Bundle) -> Engine:
        settings = self._settings
        model = Model(bundle, settings.device, settings.threads, cuda_graphs=settings.cuda_graphs)
        log.info("model %s, digest %s, runs on %s", model.name, model.digest[:12], model.provider)
        _tell(model, 1)
        # One queue and its limit for all that bear the name, one after the other.
        if model.name not in self._schedulers:
            threads = settings.batches or batches(model.provider, settings.threads * settings.workers)
            self._schedulers[model.name] = Scheduler(
                model.name,
                threads=threads,
                limit=settings.max_queue,
                watcher=Measured(model.name),
                inline=threads == 1 and model.provider == CPU,
            )
        return Engine(model, self._schedulers[model.name])


def _tell(model: Model, served: int) -> None:
    MODEL.labels(model.name, model.digest, model.provider).set(served)


def state_of(path: Path) -> State:
    """What is seen of a bundle's folder; nothing where there is none."""
    try:
        return frozenset(
            (file.name, (seen := file.stat()).st_ino, seen.st_size, seen.st_mtime_ns) for file in path.iterdir()
        )
    except OSError:
        return frozenset()


def find_bundle(entry: str) -> Path:
    """The folder of a bundle given by its path, or by the name of a shipped one; raises ModelError."""
    if Path(entry).name == entry and (SHIPPED / entry / MANIFEST).is_file():
        return SHIPPED / entry
    path = Path(entry).expanduser()
    if path.is_dir():
        return path
    shipped = sorted(file.parent.name for file in SHIPPED.glob(f"*/{MANIFEST}"))
    raise ModelError(f"no bundle {entry!r}: no such folder, and shipped are: {', '.join(shipped) or 'none'}")
