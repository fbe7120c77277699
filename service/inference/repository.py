"""The model repository: which models are served, under what names, and how a new one takes an old one's place."""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from pathlib import Path

import anyio
from anyio import Lock, to_thread

from export.bundle import MANIFEST, Bundle, BundleError, files_below, read_bundle
from service.batching.scheduler import Scheduler
from service.inference.engine import Engine
from service.inference.model import Model
from service.inference.providers import CPU, CUDA, TENSORRT, ModelError, concurrent_batches, cuda_obstacle
from service.inference.trial_run import try_bundle
from service.observability.metrics import MODEL, SchedulerMetrics
from service.problems import Problem
from service.settings import Settings

log = logging.getLogger("spritevae.store")
SHIPPED = Path(__file__).parents[1] / "bundles"
# Messages of onnxruntime name its source files and the folder of this process, which clients must not learn.
PATH = re.compile(r"(?<![\w.])(/[\w.+-]+){2,}")
# Name, device, inode, size and time of change of each file of a folder; of links, that of the file they lead to.
Fingerprint = frozenset[tuple[str, int, int, int, int]]


class ModelRepository:
    """The models of a service. The constructor verifies their bundles; ``load`` then makes them ready to run.

    A new version of a model replaces the old one completely or not at all; requests in flight finish on the model they
    began with. Raises BundleError or ModelError for a bundle that can't be served.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engines: dict[str, Engine] | None = None
        self._bundles: dict[str, Bundle] = {}
        self._schedulers: dict[str, Scheduler] = {}
        self._fingerprints: dict[str, Fingerprint] = {}
        self._changing = Lock()
        insisted = {"cuda": CUDA, "tensorrt": TENSORRT}.get(settings.device)
        if insisted and (obstacle := cuda_obstacle(insisted)):
            raise ModelError(f"--device {settings.device}: {obstacle}")
        for entry in settings.model:
            path = find_bundle(entry)
            fingerprint = folder_fingerprint(path)
            bundle = read_bundle(path)
            name = bundle.manifest.name
            other = self._bundles.setdefault(name, bundle)
            if other is not bundle:
                raise ModelError(f"two models are named {name!r}: {other.path} and {bundle.path}")
            self._fingerprints[name] = fingerprint
            height, width, _ = bundle.manifest.image.shape
            if height * width > settings.max_pixels:
                raise ModelError(f"--max-pixels {settings.max_pixels} lets no image of {name} in: {width}x{height}")
        self.names = tuple(self._bundles)
        """Names of all models, served or not, the default one first."""
        self.default = self.names[0]
        """Name of the default model."""

    async def load(self) -> None:
        """Make every model ready to run; each must reproduce its golden vectors."""
        self._engines = {name: await self._try_and_start(bundle) for name, bundle in self._bundles.items()}

    def close(self) -> None:
        """End the threads that run models; jobs that wait are not run any more."""
        for scheduler in self._schedulers.values():
            scheduler.close()

    async def load_model(self, name: str) -> None:
        """Read a model's bundle again from its folder, verify it, and serve it from then on.

        Raises Problem 404 for an unknown name, and 409 with the reason for a bundle that is refused. The old version of
        the model, if there is one, serves until the switch; if the new one is refused, it goes on.
        """
        async with self._changing:
            engines, path = self.engines, self._bundle(name).path
            try:
                bundle = await to_thread.run_sync(read_bundle, path)
                if bundle.manifest.name != name:
                    raise ModelError(f"its name is {bundle.manifest.name!r} now")
                engine = await self._try_and_start(bundle)
            except Exception as error:  # what libraries raise for a damaged file is not listed anywhere
                reason = str(error) if isinstance(error, BundleError | ModelError) else repr(error)
                reason = reason.replace(f"{path}/", "").removeprefix(f"{path}: ")
                raise Problem(409, f"{name} can't be loaded: {PATH.sub('(a path)', reason)}") from error
            self._bundles[name] = bundle
            if name in engines:
                _set_served(engines[name].model, 0)
            served = {**engines, name: engine}
            self._engines = {each: served[each] for each in self.names if each in served}

    async def unload_model(self, name: str) -> None:
        """Stop serving a model; raises Problem 404 for an unknown name."""
        async with self._changing:
            self._bundle(name)
            if name in self.engines:
                _set_served(self.engines[name].model, 0)
            self._engines = {each: engine for each, engine in self.engines.items() if each != name}
            log.info("model %s is unloaded", name)

    async def watch(self) -> None:
        """Load each model again whenever its folder has changed, until cancelled. A bad bundle is logged once."""
        while True:
            await anyio.sleep(self._settings.reload_seconds)
            for name in self._engines or ():
                try:
                    await self._load_if_changed(name)
                except Problem as problem:
                    log.error("%s; the one before is served on", problem.detail)
                except Exception:  # it would end the service's background tasks
                    log.exception("%s could not be looked at; it is served on, and looked at again", name)

    async def _load_if_changed(self, name: str) -> None:
        fingerprint = await to_thread.run_sync(folder_fingerprint, self._bundles[name].path)
        if fingerprint != self._fingerprints[name]:
            self._fingerprints[name] = fingerprint
            await self.load_model(name)

    @property
    def loaded(self) -> bool:
        """Whether the models have been loaded."""
        return self._engines is not None

    @property
    def engines(self) -> dict[str, Engine]:
        """The engine of each served model by name; raises Problem 503 while models are being loaded."""
        if self._engines is None:
            raise Problem(503, "models are being loaded", headers={"Retry-After": "1"})
        return self._engines

    @property
    def default_engine(self) -> Engine | None:
        """The engine of the default model, if it is served."""
        return self._engines.get(self.default) if self._engines else None

    def engine(self, name: str | None = None) -> Engine:
        """The engine of a model, or of the default one; raises Problem 404 that lists what there is."""
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

    async def _try_and_start(self, bundle: Bundle) -> Engine:
        if not bundle.path.resolve().is_relative_to(SHIPPED.resolve()):  # what is shipped is trusted as the code is
            await try_bundle(bundle)
        return await to_thread.run_sync(self._start, bundle, abandon_on_cancel=True)

    def _start(self, bundle: Bundle) -> Engine:
        settings = self._settings
        model = Model(bundle, settings.device, settings.threads, cuda_graphs=settings.cuda_graphs)
        log.info("model %s, digest %s, runs on %s", model.name, model.digest[:12], model.provider)
        _set_served(model, 1)
        # All versions of a model, one after the other, share one queue and its limit.
        if model.name not in self._schedulers:
            threads = settings.batches or concurrent_batches(model.provider, settings.threads * settings.workers)
            self._schedulers[model.name] = Scheduler(
                model.name,
                threads=threads,
                limit=settings.max_queue,
                observer=SchedulerMetrics(model.name),
                inline=threads == 1 and model.provider == CPU,
            )
        return Engine(model, self._schedulers[model.name])


def _set_served(model: Model, served: int) -> None:
    MODEL.labels(model.name, model.digest, model.provider).set(served)


def folder_fingerprint(path: Path) -> Fingerprint:
    """What changes when a file of the folder, or a link to one or to the folder, changes; found without reading any.

    It is empty where there is no folder, and lacks links that lead to nothing.
    """
    found = set()
    with suppress(OSError):
        for name in files_below(path):
            with suppress(OSError):
                file = (path / name).stat()
                found.add((name, file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns))
    return frozenset(found)


def find_bundle(entry: str) -> Path:
    """The folder of a bundle given by its path, or by the name of a shipped one; raises ModelError."""
    if Path(entry).name == entry and (SHIPPED / entry / MANIFEST).is_file():
        return SHIPPED / entry
    path = Path(entry).expanduser()
    if path.is_dir():
        return path
    shipped = sorted(file.parent.name for file in SHIPPED.glob(f"*/{MANIFEST}"))
    raise ModelError(f"no bundle {entry!r}: no such folder, and shipped are: {', '.join(shipped) or 'none'}")
