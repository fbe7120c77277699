"""An experiment: one run of a preset, beside what is published of its system.

It is trained where that is still to be done, resumed where it was stopped, and scored once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from training import presets
from training.atomic_files import write_json
from training.data.few_labels import LABELLED_ONLY
from training.evaluation import as_json, evaluate, rows_to_score
from training.inference import TorchAutoencoder
from training.presets import Setting
from training.runs import SCORES, Run

# The folder of the experiments' runs for which no other folder is given.
ROOT = Path("runs") / "reproduce"
# At most this many rows of each set are scored.
ROWS = 10_000


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A run, the published figures of its system, and the scores that compare with them."""

    name: str
    system: str
    data: str
    published: str
    protocol: str
    """The images that it is scored on, and how."""
    shown: tuple[str, ...]
    """Names of scores, and of columns of the history (``train.``)."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    labels: str = ""
    seed: int = 0
    init: str = ""
    """The experiment with whose weights it begins."""
    training_too: bool = False
    """Whether images that were trained on are scored too, where published figures are of these."""
    timed: bool = False
    """Whether its encoder and decoder are timed in onnxruntime (``speed.``)."""
    pictures: tuple[str, ...] = ()
    """The run's pictures to show."""
    missed: str = ""
    """Published figures that are not reproduced, and why."""

    @property
    def command(self) -> str:
        """The command that trains it."""
        only = self.labels.startswith(LABELLED_ONLY)
        parts = ["spritevae train", self.system, "--data", self.data]
        parts += ["--set", *(f"{key}={value}" for key, value in self.settings.items())] if self.settings else []
        parts += ["--labels", self.labels.removeprefix(LABELLED_ONLY)] if self.labels else []
        parts += ["--labelled-only"] if only else []
        parts += ["--init", str(ROOT / self.init)] if self.init else []
        return " ".join([*parts, *(["--seed", str(self.seed)] if self.seed else [])])


def score_run(run: Run, experiment: Experiment) -> None:
    """Score a finished run on at most ``ROWS`` rows of each set, unless its scores are there already."""
    if (run.path / SCORES).exists():
        return
    dataset = run.dataset()
    sets = rows_to_score(dataset, also_training=experiment.training_too, at_most=ROWS)
    evaluation = evaluate(TorchAutoencoder(run.load()), dataset, sets, experiment.metrics)
    write_json(run.path / SCORES, as_json(evaluation, dataset.ceilings))


def scored(run: Run, experiment: Experiment) -> bool:
    """Whether a run is this experiment's, trained to its end and scored."""
    if not (run.path / SCORES).exists():
        return False
    wanted, own = presets.settings(experiment.system, experiment.settings), run.parameters
    init = Path(own.init).name if own.init else ""
    return (own.settings, own.labels, own.seed, init) == (
        wanted,
        experiment.labels,
        experiment.seed,
        experiment.init,
    )
