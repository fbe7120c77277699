"""The tables of ``spritevae reproduce``, and the JSON file that they are written from.

``docs/systems.md`` compares published figures with ours; ``docs/model.md`` compares designs of the default model. The
JSON file keeps the result of every experiment, so that a machine without the older runs can add to the tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training import presets
from training.atomic_files import atomic_write, write_json
from training.data.few_labels import LABELLED_ONLY
from training.plots.pictures import save
from training.plots.quality import front, time_to_quality
from training.reproduce.experiment import Experiment, scored
from training.reproduce.experiments import (
    DESIGNS,
    EXPERIMENTS,
    FEW_LABELS,
    LEAKS,
    SHIPPED,
    SUPERVISED,
    UNSUPERVISED,
)
from training.runs import PICTURES, SCORES, SPEEDS, Run

INTRODUCTION = """\
# The systems, published and ours

Written by `spritevae reproduce`; not by hand. Figures are of at most 10,000 images that were not trained on, encoded
deterministically, with half of their 95 % interval where they have one; `train.*` are means over the last twentieth of
training, sampled as training does. `decode.*` starts from true attributes, `fidelity.*` lies between grid values,
against the true image there; what each score means stands at the head of its file in `training/metrics/`. Minutes were
taken on shared machines.
"""
DECODERS_PNG = "model-decoders.png"
TIME_PNG = "model-time.png"
MODEL = """\
# The default model: designs, speed and time to quality

Written by `spritevae reproduce`; not by hand. The default model is the preset `softmax` on dSprites.

## Designs at equal training time

Every design, as the whole model, on as many rendered images as one undisturbed thread trains on in two and a half
minutes; `seconds` are those it took on a shared machine. `default` is patches + separable + Muon; the others differ in
what their command sets. Scored on 10,000 images of held-out combinations, with half of the 95 % interval. `speed.*`:
microseconds per image in onnxruntime, one thread, at batch 1 and 32, and in brackets the share of the time that a
common convolutional network takes in turns with it (encoder 32-32-64-64, 4 x 4, stride 2, dense 256; decoder dense
256-1024, transposed convolutions 64-64-32-32).
"""
CURVE = """\
## Time to quality

While training, on 1,024 held-out images; the rate falls until the end, so that most is won late in each run, however
long it is. {where}.
"""
# The result of each finished experiment, by its name.
Results = Mapping[str, Mapping[str, Any]]


def write_table(root: Path, file: Path) -> None:
    """Write the tables of all experiments as Markdown; beside them their results as JSON, and their pictures.

    The result of an experiment that is finished and scored below ``root`` replaces its earlier one.
    """
    kept = file.with_suffix(".json")
    results = json.loads(kept.read_text()) if kept.exists() else {}
    for each in EXPERIMENTS:
        run = Run(root / each.name)
        if scored(run, each):
            results[each.name] = _result(each, run)
            _copy_pictures(each, run, file.with_suffix(""))
    results = {each.name: results[each.name] for each in EXPERIMENTS if each.name in results}
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_json(kept, results)
    tables = (_systems, _missed, _spaces, _labels, _leaks)
    lines = (line for table in tables for line in table(results))
    _write(file, [INTRODUCTION, *lines, *_pictures(file.with_suffix(""))])
    _write(file.with_name("model.md"), [MODEL, *_designs(results, file.parent), *_curve(results, file.parent)])


def _write(file: Path, lines: Sequence[str]) -> None:
    with atomic_write(file) as output:
        output.write("\n".join(lines).encode() + b"\n")


def _copy_pictures(experiment: Experiment, run: Run, folder: Path) -> None:
    """Copy those of the run's pictures that the experiment shows into a folder."""
    for picture in experiment.pictures:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(folder / f"{experiment.name}-{picture}") as output:
            output.write((run.path / PICTURES / picture).read_bytes())


def _result(experiment: Experiment, run: Run) -> dict[str, Any]:
    """The result of a run, as the tables need it."""
    last, parameters = run.history[-1], run.parameters
    return {
        "command": experiment.command,
        "images": last["images"],
        "seconds": last["seconds"],
        "hardware": f"{parameters.hardware}, {parameters.precision}",
        "figures": _figures(experiment, run),
        **({"history": _history(run)} if experiment in SHIPPED else {}),
    }


def _history(run: Run) -> list[dict[str, float]]:
    """The model's quality while it was trained: ``minutes``, accuracies and scores of decoding, per report."""
    kept = ("validation.accuracy.", "validation.decode.")
    return [
        {"minutes": row["seconds"] / 60, **{name: value for name, value in row.items() if name.startswith(kept)}}
        for row in run.history
    ]


def _figures(experiment: Experiment, run: Run) -> dict[str, str]:
    """The figures to show, by name: columns of the last report, and scores with half of their interval."""
    figures = {name: f"{value:.4g}" for name, value in run.history[-1].items() if name in experiment.shown}
    for name in experiment.shown:
        listed = [_with_interval(scores[name]) for scores in _scores(run) if name in scores]
        if listed:
            figures[name] = ", trained on: ".join(listed)
    if (run.path / SPEEDS).exists():
        speeds = json.loads((run.path / SPEEDS).read_text())
        figures |= {name: f"{microseconds:.0f} ({share:.2f})" for name, (microseconds, share) in speeds.items()}
    return {name: figures[name] for name in experiment.shown if name in figures}


def _scores(run: Run) -> list[dict[str, Any]]:
    """Scores of each set of rows, the held-out ones first."""
    return [*json.loads((run.path / SCORES).read_text())["scores"].values()]


def _with_interval(score: Mapping[str, Any]) -> str:
    half = "" if score["low"] is None else f" ± {(score['high'] - score['low']) / 2:.2g}"
    return f"{score['mean']:.4g}{half}"


def _value(figure: str) -> float:
    """The number at the beginning of a figure, without its interval."""
    return float(figure.split()[0].rstrip(","))


def _table(*rows: Sequence[str]) -> Iterator[str]:
    """Rows as a Markdown table, the first as its head, and an empty line."""
    head, *others = ("| " + " | ".join(row) + " |" for row in rows)
    yield from (head, "|" + "---|" * len(rows[0]), *others, "")


def _systems(results: Results) -> Iterator[str]:
    """A table with a row per preset: its first experiment that is finished."""
    first = {each.system: each for each in reversed(EXPERIMENTS) if each.name in results}
    rows = []
    for experiment in (each for each in EXPERIMENTS if first.get(each.system) is each):
        result = results[experiment.name]
        ours = "<br>".join(f"{name} {figure}" for name, figure in result["figures"].items())
        where = f"{result['seconds'] / 60:.0f} on {result['hardware']}"
        images, command = f"{result['images']:,.0f}", f"`{result['command']}`"
        rows.append((experiment.system, experiment.published, ours, experiment.protocol, images, where, command))
    yield from _table(("preset", "published", "ours", "protocol", "images seen", "minutes", "command"), *rows)


def _missed(results: Results) -> Iterator[str]:
    """A list of published figures that are not reproduced."""
    missed = [each for each in EXPERIMENTS if each.missed and each.name in results]
    if missed:
        yield "## What is not reproduced, and why\n"
        yield from (f"- {each.system}: {each.missed}" for each in missed)
        yield ""


def _spaces(results: Results) -> Iterator[str]:
    """Two tables: supervised latent spaces, and latents that are learned without labels."""
    yield from _compared("The latent spaces of supervised VAEs", SUPERVISED, results)
    yield from _compared("Latents that no label tells about", UNSUPERVISED, results)


def _compared(title: str, experiments: Sequence[Experiment], results: Results) -> Iterator[str]:
    """A row for each of the experiments, a column for each figure."""
    finished = [each for each in experiments if each.name in results]
    if finished:
        names = finished[0].shown
        yield f"## {title}\n"
        rows = []
        for each in finished:
            figures, command = results[each.name]["figures"], f"`{results[each.name]['command']}`"
            rows.append((each.name, *(figures.get(name, "") for name in names), command))
        yield from _table(("experiment", *names, "command"), *rows)


def _labels(results: Results) -> Iterator[str]:
    """A table of accuracies with few labels, with and without the unlabelled images: mean and spread over seeds."""
    found: dict[str, list[float]] = {"labelled and unlabelled": [], "labelled only": []}
    for experiment in (each for each in FEW_LABELS if each.name in results):
        mean = float(np.mean([_value(results[experiment.name]["figures"][name]) for name in experiment.shown]))
        found["labelled only" if experiment.labels.startswith(LABELLED_ONLY) else "labelled and unlabelled"].append(
            mean
        )
    if not all(len(values) > 1 for values in found.values()):
        return
    yield "## Few labels\n"
    yield f"Mean accuracy over the five attributes, `{FEW_LABELS[0].command}` and other seeds:\n"
    yield from _table(
        ("images", "of each seed", "mean", "standard deviation"),
        *(
            (
                title,
                ", ".join(f"{value:.4f}" for value in values),
                f"{np.mean(values):.4f}",
                f"{np.std(values, ddof=1):.4f}",
            )
            for title, values in found.items()
        ),
    )


def _leaks(results: Results) -> Iterator[str]:
    """A table of how well the style predicts the class, against reconstruction, beside a plain VAE."""
    plain = results.get("multi_level-plain")
    curve = [each for each in LEAKS if each.name in results and each.system == "multi_level"]
    if plain is None or len(curve) < 2:
        return
    names = ("reconstruction.bce", "classification.class.single", "classification.style.single")
    shares = {
        each.name: _value(results[each.name]["figures"][names[0]]) / _value(plain["figures"][names[0]])
        for each in curve
    }
    rows = []
    for experiment in sorted(curve, key=lambda each: shares[each.name]):
        settings = presets.settings(experiment.system, experiment.settings)
        figures = results[experiment.name]["figures"]
        weight = settings["leak_weight"] if settings["class_latent"] else "plain VAE"
        share = f"{shares[experiment.name]:.3f}"
        rows.append((f"{weight}", str(experiment.seed), share, *(figures.get(name, "") for name in names)))
    yield "## What tells of the class in the style of an image, against reconstruction\n"
    yield from _table(("leak_weight", "seed", "reconstruction, of the plain VAE's", *names), *rows)


def _designs(results: Results, folder: Path) -> Iterator[str]:
    """A table of designs, and a picture of their quality against their time."""
    finished = [each for each in DESIGNS if each.name in results]
    if not finished:
        return
    names, rows = finished[0].shown, []
    for each in finished:
        result = results[each.name]
        seen = f"{result['images']:,.0f}", f"{result['seconds']:.0f}"
        own = each.name.removeprefix("design-")
        figures = (result["figures"].get(name, "") for name in names)
        rows.append((own, *seen, *figures, f"`{result['command']}`"))
    yield from _table(("design", "images", "seconds", *names, "command"), *rows)
    points = {
        each.name.removeprefix("design-"): (
            _value(figures["speed.decoder.32"]),
            1 - _value(figures["decode.iou"]),
        )
        for each, figures in ((each, results[each.name]["figures"]) for each in finished)
        if each.settings.keys() <= {"images", "decoder"} and "speed.decoder.32" in figures
    }
    if points:
        axes = ("microseconds per image at batch 32", "1 - IoU of decoded true attributes")
        save(front(points, axes), folder / DECODERS_PNG)
        yield f"![Decoders]({DECODERS_PNG})\n"


def _curve(results: Results, folder: Path) -> Iterator[str]:
    """A picture of accuracy and IoU over minutes of training."""
    histories = {
        each.name: results[each.name]["history"] for each in SHIPPED if "history" in results.get(each.name, {})
    }
    if histories:
        hardware = ", ".join(f"`{name}` on {results[name]['hardware']}" for name in histories)
        yield CURVE.format(where=hardware)
        save(time_to_quality(histories), folder / TIME_PNG)
        yield f"![Accuracy and IoU against minutes]({TIME_PNG})\n"


def _pictures(folder: Path) -> Iterator[str]:
    """The pictures that a folder beside the tables has."""
    shown = [(each.name, picture) for each in EXPERIMENTS for picture in each.pictures]
    shown = [(name, picture) for name, picture in shown if (folder / f"{name}-{picture}").exists()]
    if shown:
        yield "## Pictures\n"
    for name, picture in shown:
        yield f"{name}, {picture.removesuffix('.png')}:\n\n![{name}]({folder.name}/{name}-{picture})\n"
