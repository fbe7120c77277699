"""What the published systems say of themselves, against what this project's presets reach: runs, and the table of both.

Each experiment is one run, trained where it is missing, resumed where it was stopped, left alone where it is finished;
each is then scored. What came out is kept in a JSON file, from which the table is written anew after each of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from training.data.labels import ONLY
from training.evaluation import as_json, evaluate, rows_to_score
from training.files import replacing, write_json
from training.inference import TorchCodec
from training.presets import Setting
from training.runs import Run

SCORES = "scores.json"
ROWS = 10_000
INTRODUCTION = """\
# The systems, published and ours

Written by `spritevae reproduce`; not by hand. Figures are of held-out images (MNIST: the test set), at most 10,000,
encoded deterministically, with half of their 95 % interval where they have one; `train.*` are means over the last
twentieth of training, sampled as training does. `decode.*` starts from true attributes, `fidelity.*` lies between grid
values, against the true image there; what each score means stands at the head of its file in `training/metrics/`.
"""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A run, what is published of its system, and which of its scores answer to that."""

    name: str
    system: str
    data: str
    published: str
    shown: tuple[str, ...]
    """Names of scores, and of columns of the history (``train.``)."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    labels: str = ""
    seed: int = 0
    training_too: bool = False
    """Whether images that were trained on are scored too, as the published figures are of these."""

    @property
    def command(self) -> str:
        """What trains it."""
        only = self.labels.startswith(ONLY)
        parts = ["spritevae train", self.system, "--data", self.data]
        parts += ["--set", *(f"{key}={value}" for key, value in self.settings.items())] if self.settings else []
        parts += ["--labels", self.labels.removeprefix(ONLY)] if self.labels else []
        parts += ["--labelled-only"] if only else []
        return " ".join([*parts, *(["--seed", str(self.seed)] if self.seed else [])])


SPACES = (
    "accuracy.all",
    "accuracy.orientation.merged",
    "decode.iou",
    "fidelity.orientation",
    "fidelity.scale",
    "fidelity.pos_x",
    "fidelity.pos_y",
    "smoothness",
)

GROUPED = (
    "classification.class.single",
    "classification.class.support",
    "classification.style.single",
    "classification.codes.single",
    "classification.class.leaking",
    "reconstruction.bce",
    "train.leak",
)
LEVELS = "style 43.0 %, class 38.6 % without leak (goal: class >= 97 %, style <= 25 %)"

FREE = (
    "active.below_0.1",
    "active.below_0.01",
    "follows.shape",
    "follows.scale",
    "follows.orientation",
    "follows.pos_x",
    "follows.pos_y",
    "mig.bins20",
    "sap",
    "dci.disentanglement",
    "beta_vae",
    "factor_vae",
    "reconstruction.bce",
)
BEST = "the best published without labels: MIG .35, FactorVAE metric .86 to .92"
FIVE = f"five latents with variance < .01, pos_x, pos_y and scale among them; {BEST}"

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        name="guided",
        system="guided",
        data="mnist",
        published="training set, epoch 10: squared error 33.24, accuracy .763",
        training_too=True,
        shown=("train.squarederror", "train.absolutekl", "accuracy.digit", "reconstruction.squares"),
    ),
    Experiment(
        name="guided_baseline",
        system="guided_baseline",
        data="mnist",
        published="training set, epoch 10: squared error 32.84",
        training_too=True,
        shown=("train.squarederror", "train.absolutekl", "reconstruction.squares"),
    ),
    *(
        Experiment(
            name=system,
            system=system,
            data="mnist",
            settings={"images": 150_000},
            published="no figures",
            shown=("accuracy.digit", "reconstruction.bce", "reconstruction.squares", "train.kl"),
        )
        for system in ("conditional", "branched")
    ),
    *(
        Experiment(
            name=name,
            system=system,
            data="mnist",
            settings=settings,
            seed=seed,
            published=published,
            metrics=("latent_classification",),
            shown=GROUPED,
        )
        for name, system, settings, seed, published in (
            ("multi_level", "multi_level", {}, 0, LEVELS),
            ("multi_level-1", "multi_level", {}, 1, LEVELS),
            ("multi_level-leak-0", "multi_level", {"leak_weight": 0}, 0, LEVELS),
            ("multi_level-leak-6", "multi_level", {"leak_weight": 6}, 0, LEVELS),
            ("multi_level-leak-24", "multi_level", {"leak_weight": 24}, 0, LEVELS),
            ("multi_level-leak-48", "multi_level", {"leak_weight": 48}, 0, LEVELS),
            (
                "multi_level-plain",
                "multi_level",
                {"class_latent": 0, "latent": 20, "style_beta": 1},
                0,
                "no figures (a plain VAE of as many latents over the same network)",
            ),
            (
                "multi_level_detached",
                "multi_level_detached",
                {"images": 600_000},
                0,
                "class 38.6 % without leak, 99.7 % with it; style 43.0 %",
            ),
        )
    ),
    *(
        Experiment(
            name=system,
            system=system,
            data="dsprites",
            settings=settings,
            published=published,
            metrics=("latents", "mig", "sap", "dci", "beta_vae", "factor_vae", "modularity"),
            shown=FREE,
        )
        for system, settings, published in (
            ("beta_conv", {"images": 300_000}, BEST),
            ("beta_mlp", {"images": 100_000}, BEST),
            ("capacity_conv", {}, FIVE),
            ("capacity_mlp", {"images": 100_000}, FIVE),
        )
    ),
    *(
        Experiment(
            name=f"space-{system}",
            system=system,
            data="dsprites",
            settings={"images": 300_000},
            published="no figures",
            metrics=("fidelity", "smoothness"),
            shown=SPACES,
        )
        for system in ("softmax", "sampled", "argmax", "argmax_straight_through", "argmax_norm", "l2")
    ),
    *(
        Experiment(
            name=f"few-{'labelled' if only else 'both'}-{seed}",
            system="softmax",
            data="dsprites",
            settings={"images": 200_000},
            labels=f"{only}1000",
            seed=seed,
            published="no figures",
            shown=("accuracy.shape", "accuracy.scale", "accuracy.orientation", "accuracy.pos_x", "accuracy.pos_y"),
        )
        for seed in range(3)
        for only in ("", ONLY)
    ),
)


def named(names: Sequence[str]) -> list[Experiment]:
    """Experiments by name, by default all; raises ValueError that lists them for an unknown one."""
    known = {experiment.name: experiment for experiment in EXPERIMENTS}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no experiment {unknown[0]!r}; there is: {', '.join(known)}")
    return [known[name] for name in names] if names else list(EXPERIMENTS)


def score_run(run: Run, experiment: Experiment) -> None:
    """Score a finished run on held-out rows, at most 10,000, unless it has been scored already."""
    if (run.path / SCORES).exists():
        return
    source = run.source()
    sets = rows_to_score(source, also_training=experiment.training_too, at_most=ROWS)
    evaluation = evaluate(TorchCodec(run.load()), source, sets, experiment.metrics)
    write_json(run.path / SCORES, as_json(evaluation, source.ceilings))


def write_table(root: Path, file: Path) -> None:
    """The table of all experiments as Markdown, and beside it as JSON what it was written from.

    Experiments that are finished and scored below ``root`` take the place of what the JSON file had of them.
    """
    kept = file.with_suffix(".json")
    results = json.loads(kept.read_text()) if kept.exists() else {}
    results |= {each.name: _result(each, Run(root / each.name)) for each in EXPERIMENTS if _scored(root / each.name)}
    results = {each.name: results[each.name] for each in EXPERIMENTS if each.name in results}
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_json(kept, results)
    finished = [(each, results[each.name]) for each in EXPERIMENTS if each.name in results]
    lines = [INTRODUCTION, *_rows(finished), "", *_few_labels(finished)]
    with replacing(file) as output:
        output.write("\n".join(lines).encode() + b"\n")


def _scored(path: Path) -> bool:
    return (path / SCORES).exists()


def _result(experiment: Experiment, run: Run) -> dict[str, Any]:
    """What the table says of a run."""
    last, parameters = run.history[-1], run.parameters
    return {
        "command": experiment.command,
        "images": last["images"],
        "seconds": last["seconds"],
        "hardware": f"{parameters.hardware}, {parameters.precision}",
        "figures": _figures(experiment, run),
    }


def _rows(finished: Sequence[tuple[Experiment, Mapping[str, Any]]]) -> Iterator[str]:
    yield "| experiment | published | ours | images | minutes | command |"
    yield "|---|---|---|---|---|---|"
    for experiment, result in finished:
        ours = "<br>".join(f"{name} {figure}" for name, figure in result["figures"].items())
        where = f"{result['seconds'] / 60:.0f} on {result['hardware']}"
        images, command = f"{result['images']:,.0f}", f"`{result['command']}`"
        yield f"| {experiment.name} | {experiment.published} | {ours} | {images} | {where} | {command} |"


def _figures(experiment: Experiment, run: Run) -> dict[str, str]:
    """What is shown of its last history and of its scores, these with half their interval, by name."""
    figures = {name: f"{value:.4g}" for name, value in run.history[-1].items() if name in experiment.shown}
    for name in experiment.shown:
        listed = [_with_interval(scores[name]) for scores in _scores(run) if name in scores]
        if listed:
            figures[name] = ", trained on: ".join(listed)
    return {name: figures[name] for name in experiment.shown if name in figures}


def _scores(run: Run) -> list[dict[str, Any]]:
    """Scores of each set of rows, the held-out ones first."""
    return [*json.loads((run.path / SCORES).read_text())["scores"].values()]


def _with_interval(score: Mapping[str, Any]) -> str:
    half = "" if score["low"] is None else f" ± {(score['high'] - score['low']) / 2:.2g}"
    return f"{score['mean']:.4g}{half}"


def _few_labels(finished: Sequence[tuple[Experiment, Mapping[str, Any]]]) -> Iterator[str]:
    """Mean accuracy over attributes with 1,000 labels, with and without the unlabelled images, and its spread."""
    found: dict[str, list[float]] = {"labelled and unlabelled": [], "labelled only": []}
    for experiment, result in finished:
        if experiment.labels:
            mean = float(np.mean([float(result["figures"][name].split()[0]) for name in experiment.shown]))
            found["labelled only" if experiment.labels.startswith(ONLY) else "labelled and unlabelled"].append(mean)
    if not all(len(values) > 1 for values in found.values()):
        return
    yield "Mean accuracy over the five attributes with 1,000 labels, by seed:"
    yield ""
    yield "| | seeds | mean | standard deviation |"
    yield "|---|---|---|---|"
    for title, values in found.items():
        listed = ", ".join(f"{value:.4f}" for value in values)
        yield f"| {title} | {listed} | {np.mean(values):.4f} | {np.std(values, ddof=1):.4f} |"
