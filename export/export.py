"""Export: write a run as a bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attributes import Attributes
from export.bundle import CARD, CODEBOOK, DECODER, ENCODER, GOLDEN, check_name, seal, writing_bundle
from export.card import card
from export.manifest import CONDITION, ImageSpec, Manifest, Provenance, Scores
from export.onnx import OPSET, TOLERANCE, Arrays, ExportedGraph, decoder_graph, encoder_graph
from training.data.dataset import Dataset, Rows
from training.evaluation import as_json, evaluate, picture, rows_to_score
from training.inference import TorchAutoencoder, image_tensor
from training.metrics import unfamiliar
from training.metrics.context import EvaluationContext
from training.metrics.predictions import target_weights
from training.parameters import Parameters
from training.plots.pictures import save
from training.plots.traversals import traversals
from training.runs import PARAMETERS, Checkpoint, Run

# An image is unfamiliar if its reconstruction error exceeds MARGIN times the FAMILIAR quantile of the scored images.
FAMILIAR = 0.995
MARGIN = 1.5
GOLDEN_ROWS = 4
CHECKED_ROWS = 64

# Reduced precision keeps about 10 bits of the mantissa; errors add up over the layers.
TOLERANCES: dict[Literal["fp32", "tf32", "fp16"], float] = {"fp32": TOLERANCE, "tf32": 2e-2, "fp16": 2e-2}


class CheckedGraphs(NamedTuple):
    """Both ONNX graphs, and the inputs on which they agree with torch."""

    encoder: ExportedGraph
    decoder: ExportedGraph
    encoder_inputs: Arrays
    decoder_inputs: Arrays


def export(
    run: Run, path: Path, name: str | None = None, *, data: str | None = None, scored_rows: int = 10_000
) -> Manifest:
    """Write a run's last checkpoint as a bundle at ``path``, which appears whole or not at all.

    The model is scored on at most ``scored_rows`` held-out rows of ``data``, by default of the run's own data. Raises
    ExportError if a graph differs from torch, BundleError if something else is at ``path``, and DataError if the data
    is gone: scores, golden vectors and pictures come from it.
    """
    name = name or path.resolve().name
    check_name(name)
    with writing_bundle(path) as folder:
        checkpoint, dataset = run.last_checkpoint(), run.dataset(data)
        autoencoder = TorchAutoencoder(run.restore(checkpoint))
        sets = rows_to_score(dataset, at_most=scored_rows)
        rows = next(iter(sets.values()))
        graphs = check(autoencoder, dataset, rows[:CHECKED_ROWS])
        evaluation = evaluate(autoencoder, dataset, sets)

        write(folder, autoencoder, graphs)
        save(picture(evaluation, autoencoder, dataset, rows), folder / "evaluation.png")
        save(traversals(autoencoder), folder / "traversals.png")
        context = EvaluationContext(autoencoder, dataset, rows)
        training = provenance(run.parameters, checkpoint)
        scores = as_json(evaluation, dataset.ceilings)
        manifest = describe(name, run.parameters.system, graphs, context, training, scores)
        (folder / CARD).write_text(card(manifest, evaluation, dataset.ceilings))
        return seal(folder, manifest)


def check(autoencoder: TorchAutoencoder, dataset: Dataset, rows: Rows) -> CheckedGraphs:
    """Export both halves, and compare them with torch: on the rows, on noise, and at random attribute values.

    Raises ExportError if they differ.
    """
    encoder, decoder = encoder_graph(autoencoder.model), decoder_graph(autoencoder.model)
    inputs = _encoder_inputs(autoencoder, dataset, rows)
    weights = _random_weights(autoencoder.codebook.attributes, len(inputs["image"]))
    z = {"z": autoencoder.codebook.place(weights)}
    encoder.check(inputs)
    encoder.check(inputs | {"image": np.random.default_rng(0).random(inputs["image"].shape, np.float32)})
    decoder.check(z)
    return CheckedGraphs(encoder, decoder, inputs, z)


def write(folder: Path, autoencoder: TorchAutoencoder, graphs: CheckedGraphs) -> None:
    """Write both graphs, the codebook and the golden vectors into a folder."""
    codebook = autoencoder.codebook
    (folder / ENCODER).write_bytes(graphs.encoder.content)
    (folder / DECODER).write_bytes(graphs.decoder.content)
    (folder / CODEBOOK).write_bytes(_compressed({"matrix": codebook.matrix, "offset": codebook.offset}))
    golden = _golden("encoder", graphs.encoder, graphs.encoder_inputs)
    golden |= _golden("decoder", graphs.decoder, graphs.decoder_inputs)
    (folder / GOLDEN).write_bytes(_compressed(golden))


def _compressed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays as the content of an .npz file; zipfile itself would not close one on a full disk."""
    content = BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def describe(
    name: str,
    system: str,
    graphs: CheckedGraphs,
    context: EvaluationContext,
    training: dict[str, Any],
    scores: dict[str, Any],
) -> Manifest:
    """The manifest of a bundle, without its files and digest."""
    codebook = context.autoencoder.codebook
    height, width, channels = context.autoencoder.image_shape
    return Manifest(
        name=name,
        system=system,
        image=ImageSpec.model_validate({"height": height, "width": width, "channels": channels}),
        attributes=tuple(codebook.attributes),
        latents=codebook.parts,
        conditions=codebook.conditions,
        group=codebook.group,
        encoder=graphs.encoder.spec,
        decoder=graphs.decoder.spec,
        opset=OPSET,
        tolerances=TOLERANCES,
        unfamiliar=threshold(unfamiliar.errors_of_rows(context)),
        training=Provenance.model_validate(training),
        scores=Scores.model_validate(scores),
    )


def threshold(errors: NDArray[np.float64]) -> float:
    """The reconstruction error beyond which an image is unfamiliar, from the errors [N] of familiar images.

    At least ``MARGIN`` grey levels, as smaller differences can't be seen.
    """
    return MARGIN * max(float(np.quantile(errors, FAMILIAR)), 1 / 255)


def _golden(half: str, graph: ExportedGraph, inputs: Arrays) -> Arrays:
    """The first inputs, and torch's outputs for them as ``half.NAME``."""
    first = {name: array[:GOLDEN_ROWS] for name, array in inputs.items()}
    return first | {f"{half}.{name}": output for name, output in graph.expected(first).items()}


def provenance(parameters: Parameters, checkpoint: Checkpoint) -> dict[str, Any]:
    """How a run was trained, as the JSON of a ``Provenance``.

    ``init`` is the provenance of the run that it began with, or that run's path if its folder is gone.
    """
    fields = ["data", "reading", "labels", "settings", "seed", "version", "command"]
    fields += ["device", "hardware", "precision", "threads"]
    init: object = parameters.init
    if parameters.init is not None and (Path(parameters.init) / PARAMETERS).is_file():
        earlier = Run.open(Path(parameters.init))
        init = provenance(earlier.parameters, earlier.last_checkpoint())
    return {
        **{field: getattr(parameters, field) for field in fields},
        "attributes": json.loads(json.dumps([asdict(attribute) for attribute in parameters.attributes])),
        "init": init,
        "images": checkpoint["images"],
        "seconds": round(checkpoint["seconds"], 1),
    }


def _encoder_inputs(autoencoder: TorchAutoencoder, dataset: Dataset, rows: Rows) -> Arrays:
    """Inputs of the encoder for the rows; conditions are known of every second row."""
    batch = dataset.batch(rows)
    inputs = {"image": np.ascontiguousarray(image_tensor(batch.images).numpy())}
    if autoencoder.codebook.conditions:
        weights = target_weights(autoencoder, dataset.attributes, batch).astype(np.float32)
        inputs |= {CONDITION[0]: weights, CONDITION[1]: (np.arange(len(rows))[:, None] % 2).astype(np.float32)}
    return inputs


def _random_weights(attributes: Attributes, count: int) -> np.ndarray:
    """Weights [count, sum K] of random attribute values, between classes too."""
    draw = np.random.default_rng(0)

    def values() -> dict[str, Any]:
        return {a.name: draw.integers(a.size) if a.kind == "nominal" else draw.uniform(*a.ends) for a in attributes}

    return np.stack([attributes.weights(values()) for _ in range(count)])
