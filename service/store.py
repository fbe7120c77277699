"""The bundle store: which models are served, and under what names."""

from __future__ import annotations

import logging
from pathlib import Path

from anyio import Lock, to_thread

from export.bundle import MANIFEST, Bundle, BundleError, read_bundle
from service.engine import Engine
from service.errors import Problem
from service.runtime import Model, ModelError, cuda_obstacle
from service.settings import Settings

log = logging.getLogger("spritevae.store")
SHIPPED = Path(__file__).parent / "bundles"


class Store:
    """The models of a service. Making one verifies the bundles; ``load`` then makes them ready to run.

    Raises BundleError or ModelError for what can't be served.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engines: dict[str, Engine] | None = None
        self._bundles: dict[str, Bundle] = {}
        self._changing = Lock()
        if settings.device == "cuda" and (obstacle := cuda_obstacle()):
            raise ModelError(f"--device cuda: {obstacle}")
        for entry in settings.model:
            bundle = read_bundle(find_bundle(entry))
            other = self._bundles.setdefault(bundle.manifest.name, bundle)
            if other is not bundle:
                raise ModelError(f"two models are named {bundle.manifest.name!r}: {other.path} and {bundle.path}")

    def load(self) -> None:
        """Make every model ready to run, which includes reproducing its golden vectors."""
        self._engines = {name: self._start(bundle) for name, bundle in self._bundles.items()}

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
                raise Problem(409, f"{name} can't be loaded: {reason}") from error
            self._bundles[name] = bundle
            served = {**engines, name: engine}
            self._engines = {each: served[each] for each in self.names if each in served}

    async def unload_model(self, name: str) -> None:
        """Serve a model no longer; raises Problem 404 for a name that isn't known. One that is not served stays so."""
        async with self._changing:
            self._bundle(name)
            self._engines = {each: engine for each, engine in self.engines.items() if each != name}
            log.info("model %s is unloaded", name)

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
        model = Model(bundle, self._settings.device, self._settings.threads)
        log.info("model %s, digest %s, runs on %s", model.name, model.digest[:12], model.provider)
        return Engine(model)

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


def find_bundle(entry: str) -> Path:
    """The folder of a bundle given by its path, or by the name of a shipped one; raises ModelError."""
    if Path(entry).name == entry and (SHIPPED / entry / MANIFEST).is_file():
        return SHIPPED / entry
    path = Path(entry).expanduser()
    if path.is_dir():
        return path
    shipped = sorted(file.parent.name for file in SHIPPED.glob(f"*/{MANIFEST}"))
    raise ModelError(f"no bundle {entry!r}: no such folder, and shipped are: {', '.join(shipped) or 'none'}")
