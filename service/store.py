"""The bundle store: which models are served, and under what names."""

from __future__ import annotations

import logging
from pathlib import Path

from export.bundle import MANIFEST, Bundle, read_bundle
from service.engine import Engine
from service.errors import Problem
from service.metrics import MODEL, Measured
from service.runtime import Model, ModelError, batches, cuda_obstacle
from service.scheduler import Scheduler
from service.settings import Settings

log = logging.getLogger("spritevae.store")
SHIPPED = Path(__file__).parent / "bundles"


class Store:
    """The models of a service. Making one verifies the bundles; ``load`` then makes them ready to run.

    Raises BundleError or ModelError for what can't be served.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engines: dict[str, Engine] = {}
        self._bundles: dict[str, Bundle] = {}
        if settings.device == "cuda" and (obstacle := cuda_obstacle()):
            raise ModelError(f"--device cuda: {obstacle}")
        for entry in settings.model:
            bundle = read_bundle(find_bundle(entry))
            other = self._bundles.setdefault(bundle.manifest.name, bundle)
            if other is not bundle:
                raise ModelError(f"two models are named {bundle.manifest.name!r}: {other.path} and {bundle.path}")

    def load(self) -> None:
        """Make every model ready to run, which includes reproducing its golden vectors."""
        engines = {}
        for name, bundle in self._bundles.items():
            model = Model(bundle, self._settings.device, self._settings.threads)
            threads = self._settings.batches or batches(model.provider, self._settings.threads)
            engines[name] = Engine(
                model, Scheduler(name, threads=threads, limit=self._settings.max_queue, watcher=Measured(name))
            )
            MODEL.labels(name, model.digest, model.provider).set(1)
            log.info("model %s, digest %s, runs on %s", name, model.digest[:12], model.provider)
        self._engines = engines

    def close(self) -> None:
        """End the threads that run models; what waits for them is not run any more."""
        for engine in self._engines.values():
            engine.scheduler.close()

    @property
    def default(self) -> str:
        """Name of the default model, the first one."""
        return next(iter(self._bundles))

    @property
    def ready(self) -> bool:
        """Whether the models are loaded."""
        return bool(self._engines)

    @property
    def engines(self) -> dict[str, Engine]:
        """The engine of each model by name; raises Problem 503 while they are being loaded."""
        if not self._engines:
            raise Problem(503, "models are being loaded", headers={"Retry-After": "1"})
        return self._engines

    def engine(self, name: str | None = None) -> Engine:
        """The engine of a model, by default that of the default one; raises Problem 404 that lists what there is."""
        engines = self.engines
        if name is None:
            name = self.default
        if name not in engines:
            raise Problem(404, f"no model {name[:80]!r}; there is {', '.join(engines)}", models=list(engines))
        return engines[name]


def find_bundle(entry: str) -> Path:
    """The folder of a bundle given by its path, or by the name of a shipped one; raises ModelError."""
    if Path(entry).name == entry and (SHIPPED / entry / MANIFEST).is_file():
        return SHIPPED / entry
    path = Path(entry).expanduser()
    if path.is_dir():
        return path
    shipped = sorted(file.parent.name for file in SHIPPED.glob(f"*/{MANIFEST}"))
    raise ModelError(f"no bundle {entry!r}: no such folder, and shipped are: {', '.join(shipped) or 'none'}")
