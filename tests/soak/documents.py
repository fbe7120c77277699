"""JSON documents with one thing changed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Path = tuple[Any, ...]


def changes(document: Any) -> Iterator[Any]:
    """A document with one thing changed: each value, each key left out or added, each list's order and length."""
    for path in paths(document):
        for other in _others(at(document, path)):
            yield replaced(document, path, other)


def replaced(document: Any, path: Path, value: Any) -> Any:
    """A document with another value at a path."""
    changed = copy.deepcopy({"": document})
    holder = at(changed, ("", *path)[:-1])
    holder[("", *path)[-1]] = value
    return changed[""]


def paths(document: Any, path: Path = ()) -> Iterator[Path]:
    """The path of a document and of all that is in it: keys and indices."""
    yield path
    listed = document if isinstance(document, list) else ()
    items: Any = document.items() if isinstance(document, dict) else enumerate(listed)
    for key, value in items:
        yield from paths(value, (*path, key))


def at(document: Any, path: Path) -> Any:
    """What is at a path."""
    for key in path:
        document = document[key]
    return document


def _others(value: Any) -> Iterator[Any]:
    """Other values in a value's place."""
    if isinstance(value, dict):
        yield from ({k: v for k, v in value.items() if k != key} for key in value)
        yield {**value, "surprise": 1}
    elif isinstance(value, list):
        yield from ([*value[:index], *value[index + 1 :]] for index in range(len(value)))
        yield [*value, *(value[-1:] or [0])]
        if value[::-1] != value:
            yield value[::-1]
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, str(value), None)
    elif isinstance(value, str):
        yield from (value + "x", value[1:] or "y", None)
    else:
        yield from (0, "")
