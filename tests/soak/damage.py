"""Bundles that are damaged: a file changed or cut at a random place, or any one thing that the manifest says."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from export.bundle import MANIFEST, BundleError, read_bundle
from service.inference.model import ModelError
from spritevae import load
from tests.soak.bundles import DSPRITES
from tests.soak.documents import changes
from tests.soak.figures import Figure, exactly, told

Damage = Callable[[bytearray, random.Random], bytes]


def _change(content: bytearray, draw: random.Random) -> bytes:
    content[draw.randrange(len(content))] ^= draw.randrange(1, 256)
    return bytes(content)


def _cut(content: bytearray, draw: random.Random) -> bytes:
    return bytes(content[: draw.randrange(len(content))])


def _drop(content: bytearray, draw: random.Random) -> bytes:
    place = draw.randrange(len(content))
    del content[place : place + draw.randint(1, 100)]
    return bytes(content)


def _blank(content: bytearray, draw: random.Random) -> bytes:
    place = draw.randrange(len(content))
    content[place : place + 100] = bytes(len(content[place : place + 100]))
    return bytes(content)


def _append(content: bytearray, draw: random.Random) -> bytes:
    return bytes(content) + draw.randbytes(draw.randint(1, 100))


KINDS: tuple[Damage, ...] = (_change, _cut, _drop, _blank, _append)


def run(per_file: int, seed: int = 0) -> Iterator[Figure]:
    """So many damages of each file of the shipped bundle, and each change of its manifest once."""
    draw = random.Random(seed)
    tried: Counter[str] = Counter()
    accepted = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "dsprites"
        shutil.copytree(DSPRITES, folder)
        for file in sorted(folder.iterdir()):
            whole = file.read_bytes()
            for damaged in _damaged(file.name, whole, per_file, draw):
                tried["manifest" if file.name == MANIFEST else "files"] += 1
                file.write_bytes(damaged)
                if not refused(folder):
                    accepted.append(f"{file.name}: {len(damaged)} bytes, number {tried.total()}")
            file.write_bytes(whole)
        assert not refused(folder)
    yield told("damaged bundles", f"{tried.total()}, of which {tried['manifest']} by their manifest")
    yield exactly("that were not refused", len(accepted), 0)
    yield from (told("not refused", each) for each in accepted[:5])


def refused(folder: Path) -> bool:
    """Whether a bundle is refused, with a reason, when it is loaded."""
    try:
        read_bundle(folder)
    except BundleError:
        return True
    try:
        load(folder, device="cpu")
    except (BundleError, ModelError):
        return True
    return False


def _damaged(name: str, whole: bytes, number: int, draw: random.Random) -> Iterator[bytes]:
    contents = (KINDS[index % len(KINDS)](bytearray(whole), draw) for index in range(number))
    if name != MANIFEST:
        yield from (content for content in contents if content != whole)
        return
    meaning = json.loads(whole)
    yield from (content for content in contents if _meaning(content) != meaning)
    for changed in changes(meaning):
        yield json.dumps(changed, indent=1).encode()


def _meaning(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
