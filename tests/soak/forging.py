"""Bundles that are damaged and sealed again, so that no digest tells: each is refused with a reason, or served."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import onnx
from onnx import numpy_helper

from export.bundle import CODEBOOK, DECODER, ENCODER, GOLDEN, MANIFEST
from export.manifest import digest_of
from tests.service.processes import Running, running
from tests.service.toys import toy_bundle
from tests.soak.bundles import DSPRITES, replace
from tests.soak.documents import at, changes, paths, replaced
from tests.soak.figures import Figure, exactly, told
from tests.soak.png import black, chunk, png

PATIENCE = 120
"""Seconds in which a bundle must be served or refused: a graph without end has half a minute of processor time."""
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 0.5, 1, 3, 2**31, 2**63, 10**40, 1e308, float("nan"), float("-inf"), "", "é", "x" * 10_000, [],
    [0, 1], {}, {"": 0}, [[[]]], ["shape"] * 300,
)  # fmt: skip
QUESTIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("GET", "/models", {}),
    ("GET", "/models/dsprites", {}),
    ("GET", "/v2/models/dsprites", {}),
    ("GET", "/v2/models/dsprites/config", {}),
    ("GET", "/decode", {}),
    ("POST", "/decode", {"json": {"attributes": {}}}),
    ("POST", "/encode", {"content": png(chunk(b"IDAT", black())), "headers": {"content-type": "image/png"}}),
    ("POST", "/edit", {"json": {"items": [], "attributes": {}}}),
)


def run(number: int, seed: int = 0) -> Iterator[Figure]:
    """So many forged bundles, of the shipped model and of toys of other kinds; after each ten, a good one."""
    draw = random.Random(seed)
    ends: Counter[str] = Counter()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        kinds = ("onehot", "codes", "conditional", "group")
        models = [DSPRITES, *(toy_bundle(folder / kind / "dsprites", kind=kind) for kind in kinds)]
        served = folder / "served" / "dsprites"
        replace(served, DSPRITES)
        with running(served, "--device", "cpu", "--reload-seconds", "0.02") as service:
            for index in range(number):
                end = _offer(service, served, draw.choice(models), partial(_forge, draw=draw))
                ends[end] += 1
                if end not in ("served", "refused"):
                    faults.append(f"number {index}: {end}")
                if index % 10 == 9 or index == number - 1:
                    end = _offer(service, served, models[index // 10 % len(models)], lambda folder: None)
                    faults += [] if end == "served" else [f"number {index}, a good one: {end}"]
            faults += [line for line in service.log if "Traceback" in line][:5]
    yield told("bundles that were damaged and sealed again", f"{number}, seed {seed}")
    yield told("of them served, refused with a reason", f"{ends['served']}, {ends['refused']}")
    yield exactly("neither, or answered with 5xx, or a good one that was not taken after it", len(faults), 0)
    yield from (told("fault", fault) for fault in faults[:5])


def _offer(service: Running, served: Path, source: Path, change: Callable[[Path], object]) -> str:
    """Put a bundle there: ``served``, ``refused``, or what went wrong."""
    logged = len(service.log)
    replace(served, source, change)
    manifest = (served / MANIFEST).read_text()
    deadline = time.monotonic() + PATIENCE
    with httpx2.Client(base_url=service.url, timeout=PATIENCE) as client:
        while time.monotonic() < deadline:
            if service.process.poll() is not None:
                return f"ended with {service.process.returncode}: {service.log[-3:]}"
            # For a moment there may be no bundle at all.
            said = [line for line in service.log[logged:] if "served on" in line and "no bundle here" not in line]
            if said:
                return "refused" if "Traceback" not in "".join(said) else f"traceback: {said}"
            if client.get("/decode").headers.get("x-model-digest", "") == json.loads(manifest)["digest"]:
                asked = [(path, client.request(method, path, **more)) for method, path, more in QUESTIONS]
                wrong = [f"{path} {answer.status_code}" for path, answer in asked if answer.status_code >= 500]
                return f"wrong: {wrong} of {manifest[:200]}" if wrong else "served"
            time.sleep(0.01)
    return "neither"


def _forge(folder: Path, draw: random.Random) -> None:
    """Change one thing of a bundle, and have its manifest list it so."""
    manifest = json.loads((folder / MANIFEST).read_text())
    kind = draw.choice((_manifest, _bytes, _array, _graph))
    if kind is _manifest:
        manifest = _manifest(manifest, draw)
    else:
        file = kind(folder, draw)
        content = file.read_bytes()
        manifest["files"][file.name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    if isinstance(manifest, dict):
        # What is as it was is served already, so each has a mark of its own.
        manifest["system"] = manifest.get("system", "") if kind is _manifest else f"forged {draw.random()}"
        manifest["digest"] = digest_of(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def _manifest(manifest: dict[str, Any], draw: random.Random) -> Any:
    if draw.random() < 0.5:
        return draw.choice([*changes(manifest)])
    place = draw.choice([*paths(manifest)])
    value = draw.choice(VALUES)
    return replaced(manifest, place, draw.choice((value, [value, at(manifest, place)])))


def _bytes(folder: Path, draw: random.Random) -> Path:
    """A few bytes of a file, which may be where its structure is."""
    file = folder / draw.choice((ENCODER, DECODER, CODEBOOK, GOLDEN))
    content = bytearray(file.read_bytes())
    for _ in range(draw.randint(1, 20)):
        span = draw.choice((100, 3000, len(content)))
        at = draw.choice((draw.randrange(min(span, len(content))), -1 - draw.randrange(min(span, len(content)))))
        content[at] = draw.choice((0, 1, 127, 128, 255, draw.randrange(256)))
    file.write_bytes(content[: draw.choice((len(content), draw.randrange(len(content))))])
    return file


def _array(folder: Path, draw: random.Random) -> Path:
    """One array of the codebook or of the golden vectors."""
    file = folder / draw.choice((CODEBOOK, GOLDEN))
    with np.load(file) as arrays:
        content = dict(arrays)
    name = draw.choice([*content])
    array = content[name]
    other: Any = draw.choice((np.float32(0), array[:0], array[:1], array.T, array[None], np.asfortranarray(array)))
    if draw.random() < 0.5:
        other = array.astype(draw.choice((np.float64, np.int8, ">f4", complex, object, "U9")))
    elif draw.random() < 0.5:
        other = np.full_like(array, draw.choice((np.nan, np.inf, 1e30, 0)))
    content[name] = other
    if draw.random() < 0.1:
        del content[name]
    out = io.BytesIO()
    draw.choice((np.savez, np.savez_compressed))(out, **content)
    file.write_bytes(out.getvalue())
    return file


def _graph(folder: Path, draw: random.Random) -> Path:
    """One node or one constant of a graph."""
    file = folder / draw.choice((ENCODER, DECODER))
    model = onnx.load_model_from_string(file.read_bytes())
    graph = model.graph
    node, constant = draw.choice(graph.node), draw.choice(graph.initializer)
    kind = draw.randrange(7)
    if kind == 0:
        node.op_type = draw.choice(
            ("Identity", "Relu", "Shape", "NonZero", "Nonsense", "Loop", "Expand", "Exp", "Range")
        )
    elif kind == 1:
        graph.node.remove(node)
    elif kind == 2 and node.input:
        node.input[draw.randrange(len(node.input))] = draw.choice([*(each.name for each in graph.initializer), ""])
    elif kind == 3 and node.attribute:
        attribute = draw.choice(node.attribute)
        attribute.i, attribute.f = draw.choice((-1, 0, 2**62)), draw.choice((-1.0, 1e38))
        attribute.ints[:] = [draw.choice((-1, 0, 2**31, 2**62)) for _ in attribute.ints]
    elif kind == 4:
        values = numpy_helper.to_array(constant)
        other = draw.choice((-1, 0, 2**20, 2**40)) if values.dtype.kind == "i" else draw.choice((np.nan, 1e38, 0))
        constant.CopyFrom(numpy_helper.from_array(np.full_like(values, other), constant.name))
    elif kind == 5:
        constant.dims[:] = [draw.choice((0, 1, 2**20, 2**40, -1)) for _ in constant.dims]
    else:
        model.opset_import[0].version = draw.choice((0, 1, 7, 100))
    file.write_bytes(model.SerializeToString())
    return file
