"""Strict JSON: no NaN, no Infinity, no key twice in an object."""

from __future__ import annotations

import json
import re
from collections.abc import Container
from typing import Any, NoReturn

import msgspec

from service.problems import Problem

# Digits of an integer that Python still converts and writes.
LONGEST_INTEGER = 400
CONTAINERS = (dict, list)
# A string, perhaps with the colon that makes it a key; an end of an object; or what holds neither, in pieces, as no
# other thread runs while one piece is looked for.
TOKENS = re.compile(rb'("(?:[^"\\]++|\\.)*+")(\s*+:)?|[{}]|[^"{}]{1,65536}', re.DOTALL)
_DECODER = msgspec.json.Decoder()


def parse_json(body: bytes) -> Any:
    """The content of strict JSON; raises Problem 400."""
    try:
        content = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _parse(body)  # accepts lone surrogates and numbers that overflow too, or says what is wrong
    # msgspec keeps the last of equal keys. Each key has a colon, so as many colons as keys means that no key was lost.
    keys = _count_keys(content) if isinstance(content, CONTAINERS) else 0
    return content if body.count(b":") == keys else _parse(body)


def refuse_repeated_keys(document: bytes) -> None:
    """Raise Problem 400 if JSON, which is valid otherwise, has an object with the same key twice.

    Nothing is made of the document but its keys: large tensors are mostly numbers.
    """
    objects: list[set[str]] = []
    try:
        document.decode()
        for token in TOKENS.finditer(document):
            if token[2]:
                key = json.loads(token[1])
                _check_new(key, objects[-1])
                objects[-1].add(key)
            elif token[0] == b"{":
                objects.append(set())
            elif token[0] == b"}":
                objects.pop()
    except ValueError as error:
        raise Problem(400, f"malformed JSON: {error}") from None


def _count_keys(content: Any) -> int:
    """Keys of all objects, except those in lists that begin with a number or a string."""
    keys, waiting = 0, [content]
    while waiting:
        inside = waiting.pop()
        if isinstance(inside, dict):
            keys += len(inside)
            inside = inside.values()
        elif not (inside and isinstance(inside[0], CONTAINERS)):
            continue
        for value in inside:
            if isinstance(value, CONTAINERS):
                waiting.append(value)
    return keys


def _parse(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)
    except RecursionError:
        raise Problem(400, "the JSON is nested too deeply") from None
    except ValueError as error:
        raise Problem(400, f"malformed JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        _check_new(key, content)
        content[key] = value
    return content


def _check_new(key: str, known: Container[str]) -> None:
    if key in known:
        raise ValueError(f"the key {key[:80]!r} is there twice")


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int | float:
    # Python refuses to convert very long integers. As floats they overflow, and the schema names the field.
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)
