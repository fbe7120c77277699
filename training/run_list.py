"""All runs of a folder: those with given parameters, and a table of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from training import presets
from training.presets import Setting
from training.runs import PARAMETERS, ROOT, TRAIN_LOSS, VALIDATION_BCE, Run, RunError


def load_runs(where: Mapping[str, Setting] | None = None, root: Path = ROOT) -> list[Run]:
    """All runs below ``root`` whose parameters or settings are those of ``where``, sorted by path.

    ``where`` takes names of settings (``beta``) and of parameters (``system``, ``data``, ``seed``); numbers are
    compared as numbers. Raises RunError for a name that no run has.
    """
    found = [Run(file.parent) for file in sorted(root.glob(f"**/{PARAMETERS}"))]
    wanted = {presets.current_name(name): value for name, value in (where or {}).items()}
    if unknown := [name for name in wanted if not any(name in run.key_parameters for run in found)]:
        known = sorted({name for run in found for name in run.key_parameters})
        raise RunError(f"no run below {root} has {', '.join(unknown)}; there is: {', '.join(known) or 'no run'}")
    return [run for run in found if all(_same(run.key_parameters.get(name), value) for name, value in wanted.items())]


def _same(own: object, wanted: Setting) -> bool:
    """Whether both are the same number, or the same text."""
    try:
        return float(own) == float(wanted)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(own) == str(wanted)


def overview(runs: Sequence[Run]) -> str:
    """A table of runs: the parameters in which they differ, how far each is, its last losses and its path."""
    if not runs:
        return "no run"
    shown = [run.key_parameters for run in runs]
    names = list(dict.fromkeys(name for each in shown for name in each))
    varying = [name for name in names if len({str(each.get(name)) for each in shown}) > 1]
    rows = [["run", *varying, "images", "minutes", "train loss", "nats"]]
    for run, each in zip(runs, shown, strict=True):
        last = run.history[-1] if run.history else {}
        figures = (last.get(TRAIN_LOSS), last.get(VALIDATION_BCE))
        rows.append(
            [
                str(run.path),
                *(str(each.get(name, "")) for name in varying),
                f"{last.get('images', 0):,.0f}",
                f"{last.get('seconds', 0) / 60:.0f}",
                *("" if figure is None else f"{figure:.2f}" for figure in figures),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(f"{cell:{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)
