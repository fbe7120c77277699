"""Bundles that take each other's place, and bad ones that must not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from export.bundle import DECODER, ENCODER, GOLDEN, MANIFEST, read_bundle, seal, writing_bundle
from export.manifest import Manifest
from service.inference.repository import SHIPPED

DSPRITES = SHIPPED / "dsprites"


def replace(target: Path, source: Path, change: Callable[[Path], None] | None = None) -> None:
    """Put a copy of a bundle in the place of another one, all at once, as ``export`` does; changed before, perhaps."""
    with writing_bundle(target) as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True)
        if change:
            change(folder)


def inverted(path: Path) -> Path:
    """The shipped model with white for black, in and out: every pixel that it draws is another."""
    shutil.copytree(DSPRITES, path)
    bundle = read_bundle(path)
    for file, where in ((ENCODER, "input"), (DECODER, "output")):
        graph = onnx.load_model_from_string(bundle.files[file])
        _invert(graph.graph, where)
        onnx.save(graph, path / file)
    golden = dict(bundle.golden)
    golden["image"] = 1 - golden["image"]
    golden["decoder.image"] = 1 - golden["decoder.image"]
    np.savez(path / GOLDEN, **golden)
    seal(path, bundle.manifest)
    return path


def _invert(graph: onnx.GraphProto, where: str) -> None:
    """Put 1 - image between the graph and what is called image."""
    graph.initializer.append(numpy_helper.from_array(np.ones(1, np.float32), "one"))
    for node in graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name == "image":
                    names[index] = "inside"
    ends = ("image", "inside") if where == "input" else ("inside", "image")
    node = helper.make_node("Sub", ["one", ends[0]], [ends[1]])
    graph.node.insert(0, node) if where == "input" else graph.node.append(node)


def _flip(file: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = bytearray((folder / file).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / file).write_bytes(content)

    return change


def _truncate(folder: Path) -> None:
    (folder / ENCODER).write_bytes((folder / ENCODER).read_bytes()[:-100])


def _reseal(change: Callable[[Path], None], **fields: Any) -> Callable[[Path], None]:
    """A change that the digests don't tell, as the manifest is made anew."""

    def changed(folder: Path) -> None:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
        change(folder)
        seal(folder, manifest.model_copy(update=fields))

    return changed


def _other_golden(folder: Path) -> None:
    with np.load(folder / GOLDEN) as arrays:
        golden = dict(arrays)
    golden["decoder.image"] = golden["decoder.image"] + np.float32(0.01)
    np.savez(folder / GOLDEN, **golden)


def _unknown_operator(folder: Path) -> None:
    graph = onnx.load(folder / DECODER)
    graph.graph.node[0].op_type = "Nonsense"
    onnx.save(graph, folder / DECODER)


def _swap_halves(folder: Path) -> None:
    (folder / ENCODER).rename(folder / "other")
    (folder / DECODER).rename(folder / ENCODER)
    (folder / "other").rename(folder / DECODER)


def _other_format(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | {"format": 2}))


BAD: dict[str, Callable[[Path], None]] = {
    "a file is missing": lambda folder: (folder / DECODER).unlink(),
    "a file is not listed": lambda folder: (folder / "extra").touch(),
    "a byte of a graph is changed": _flip(DECODER),
    "a graph is cut short": _truncate,
    "the manifest is of another format": _other_format,
    "golden vectors are not reproduced": _reseal(_other_golden),
    "the name is another": _reseal(lambda folder: None, name="other"),
    "onnxruntime does not know an operator": _reseal(_unknown_operator),
    "encoder and decoder are exchanged": _reseal(_swap_halves),
}
"""Kinds of bad bundles: the last four are sealed well."""


def digest(path: Path) -> str:
    """A bundle's digest."""
    return read_bundle(path).manifest.digest
