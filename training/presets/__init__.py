"""One file per published system: its source, expected figures, time and command, and its recipe."""

from __future__ import annotations

import importlib
import inspect
import math
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

from training.recipe import Recipe

Setting = str | float

# Settings that had other names in earlier versions, whose run folders and commands hold the first name of each pair.
EARLIER_NAMES = {"between_share": "off_grid_share", "round_trip_share": "cycle_share", "condition": "label"}


class PresetError(ValueError):
    """A preset or one of its settings that does not exist or can't be read; the message lists what there is."""


def names() -> list[str]:
    """All presets."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find(name: str) -> Callable[..., Recipe]:
    """The preset's ``recipe`` function; raises PresetError that lists all presets."""
    if name not in names():
        raise PresetError(f"no preset {name!r}; there is: {', '.join(names())}")
    recipe: Callable[..., Recipe] = importlib.import_module(f"{__name__}.{name}").recipe
    return recipe


def describe(name: str) -> str:
    """The preset's documentation: what it is, its source, data, command and expected figures. Raises PresetError."""
    find(name)
    return inspect.cleandoc(importlib.import_module(f"{__name__}.{name}").__doc__ or "")


def current_name(setting: str) -> str:
    """The name of a setting today; other names stay as they are."""
    return EARLIER_NAMES.get(setting, setting)


def settings(name: str, given: Mapping[str, Setting]) -> dict[str, Setting]:
    """All settings of a preset: its defaults, replaced by the ``given`` values, converted to the type of the default.

    Names of earlier versions are accepted. Raises PresetError for a setting that the preset does not have, and for a
    value that the setting does not take.
    """
    parameters = inspect.signature(find(name), eval_str=True).parameters
    known = {key: parameter.default for key, parameter in parameters.items()}
    chosen: dict[str, Setting] = dict(known)
    for key, value in ((current_name(key), value) for key, value in given.items()):
        if key not in known:
            raise PresetError(
                f"{name} has no setting {key!r}; it has: {', '.join(f'{k}={v}' for k, v in known.items())}"
            )
        if isinstance(known[key], str):
            chosen[key] = _word(name, key, str(value), parameters[key].annotation)
        else:
            chosen[key] = _number(name, key, value, known[key])
    find(name)(**chosen)  # a recipe refuses what can't be trained
    return chosen


def _number(name: str, key: str, value: Setting, default: float) -> float:
    """The value of a setting that is a number, as an integer where the default is one."""
    try:
        number = float(value)
        converted = type(default)(number)
        if not math.isfinite(number):
            raise ValueError
    except (ValueError, OverflowError):
        raise PresetError(f"{name}: {key} takes a number like {default}, got {value!r}") from None
    if converted != number:
        raise PresetError(f"{name}: {key} takes a whole number like {default}, got {value!r}")
    return converted


def _word(name: str, key: str, value: str, annotation: Any) -> str:
    """The value of a setting that is a text. A ``Literal`` annotation lists those that are accepted."""
    accepted = get_args(annotation) if get_origin(annotation) is Literal else ()
    if accepted and value not in accepted:
        raise PresetError(f"{name}: {key} takes {' or '.join(accepted)}, got {value!r}")
    return value
