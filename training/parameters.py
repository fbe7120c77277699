"""The parameters of a run: all that decides its weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from attributes import Attribute, Attributes
from training import presets
from training.data.dataset import Dataset
from training.data.splits import IMAGES
from training.hardware import best_precision, hardware
from training.model import VAE
from training.networks import ImageShape
from training.presets import Setting
from training.recipe import Recipe
from training.version import code_version

# Fields that may differ when a run is resumed.
UNDECISIVE = ("version", "command", "hardware", "extended")

# How runs of earlier versions, which don't say it, held out images.
EARLIER_READING = {"hold_out": IMAGES}


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Everything that decides a run's weights, as kept in ``params.json``."""

    system: str
    settings: dict[str, Setting]
    data: str
    overrides: tuple[str, ...]
    labels: str
    """Which rows are labelled, as ``partially_labelled`` takes it; empty for all."""
    attributes: tuple[Attribute, ...]
    image: ImageShape
    rows: int
    content: str
    """The dataset's digest of all images and labels, so that a run does not go on with others."""
    init: str | None
    seed: int
    device: str
    precision: str
    threads: int
    deterministic: bool
    version: str
    """The version of the code. This and the next two fields are for readers."""
    command: str
    """The command, or several in their order where later ones have extended the run."""
    hardware: str
    reading: dict[str, Any] = field(default_factory=dict)
    """How the data is read, as ``Reading.of`` takes it."""
    extended: tuple[tuple[int, int], ...] = ()
    """Each change of ``settings.images``: after how many images it came, and how many had been planned."""

    @classmethod
    def for_dataset(
        cls,
        dataset: Dataset,
        *,
        system: str,
        settings: dict[str, Setting],
        data: str,
        device: str,
        threads: int,
        command: str,
        overrides: Sequence[str] = (),
        labels: str = "",
        init: str | None = None,
        seed: int = 0,
        deterministic: bool = False,
    ) -> Parameters:
        """The parameters of a run on a dataset, which was opened from ``data``, with this code on this machine."""
        return cls(
            system=system,
            settings=settings,
            data=data,
            overrides=tuple(overrides),
            reading=dataset.reading.given,
            labels=labels,
            attributes=tuple(dataset.attributes),
            image=dataset.image_shape,
            rows=len(dataset),
            content=dataset.content,
            init=init,
            seed=seed,
            device=device,
            precision=best_precision(device),
            threads=threads,
            deterministic=deterministic,
            version=code_version(),
            command=command,
            hardware=hardware(device, threads),
        )

    @property
    def recipe(self) -> Recipe:
        """The preset's recipe; raises ValueError or TypeError if this version has no such system and settings."""
        return presets.find(self.system)(**self.settings)

    def build(self) -> VAE:
        """The model with fresh weights; raises ValueError if system, settings and attributes don't go together."""
        return VAE(self.recipe, Attributes(self.attributes), self.image)

    def differences(self, other: Parameters) -> dict[str, tuple[object, object]]:
        """What decides the weights and differs: by its name, such as ``settings.images``, the value here and there."""
        return dict(_differences("", self._decisive(), other._decisive()))

    def _decisive(self) -> dict[str, Any]:
        """What decides the weights of a run that nobody has extended, with names for the attributes."""
        fields = {key: value for key, value in asdict(self).items() if key not in UNDECISIVE}
        attributes = {each.pop("name"): each for each in fields["attributes"]}
        return fields | {"attributes": attributes, "reading": EARLIER_READING | fields["reading"]}


def _differences(name: str, here: object, there: object) -> Iterator[tuple[str, tuple[object, object]]]:
    """The names below ``name`` whose values differ, with both values; None where one has no such name."""
    if isinstance(here, dict) and isinstance(there, dict):
        for key in here | there:
            yield from _differences(f"{name}.{key}" if name else key, here.get(key), there.get(key))
    elif here != there:
        yield name, (here, there)
