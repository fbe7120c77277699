"""A run as a bundle."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import Attributes
from export.bundle import (
    CARD,
    CODEBOOK,
    CONDITION,
    DECODER,
    ENCODER,
    GOLDEN,
    ImageSpec,
    Manifest,
    check_name,
    seal,
    writing_bundle,
)
from export.card import card
from export.onnx import OPSET, TOLERANCE, Arrays, Graph, decoder_graph, encoder_graph
from training.data.dataset import Dataset, Rows
from training.evaluation import as_json, evaluate, picture, rows_to_score
from training.inference import TorchAutoencoder, image_tensor
from training.metrics import unfamiliar
from training.metrics.context import EvaluationContext
from training.metrics.outputs import label_weights
from training.plots.canvas import save
from training.plots.traversals import traversals
from training.runs import PARAMETERS, Checkpoint, Parameters, Run

FAMILIAR = 0.995
MARGIN = 1.5
"""The threshold of unfamiliar images: so many times the unlikeness that this share of the scored ones stays below."""
GOLDEN_ROWS = 4
CHECKED_ROWS = 64


def export(
    run: Run, path: Path, name: str | None = None, *, data: str | None = None, scored_rows: int = 10_000
) -> Manifest:
    """Write a run's last checkpoint as a bundle at ``path``, which appears whole or not at all.

    Its scores are those of at most so many held-out rows of ``data``, by default of the run's own. Raises ExportError
    where the graphs differ from torch, BundleError where ``path`` is taken by something else, and DataError where the
    data is gone: scores, golden vectors and pictures come from it.
    """
    name = name or path.resolve().name
    check_name(name)
    with writing_bundle(path) as folder:
        checkpoint, dataset, parameters = run.last_checkpoint(), run.dataset(data), run.parameters
        model = run.restore(checkpoint)
        autoencoder = TorchAutoencoder(model)
        sets = rows_to_score(dataset, also_all=False, at_most=scored_rows)
        rows = next(iter(sets.values()))
        encoder, decoder = encoder_graph(model), decoder_graph(model)
        inputs = _inputs(autoencoder, dataset, rows[:CHECKED_ROWS])
        z = {"z": autoencoder.codebook.place(_random_weights(autoencoder.codebook.attributes, len(inputs["image"])))}
        encoder.check(inputs)
        encoder.check(inputs | {"image": np.random.default_rng(0).random(inputs["image"].shape, np.float32)})
        decoder.check(z)
        evaluation = evaluate(autoencoder, dataset, sets)

        (folder / ENCODER).write_bytes(encoder.content)
        (folder / DECODER).write_bytes(decoder.content)
        np.savez_compressed(folder / CODEBOOK, matrix=autoencoder.codebook.matrix, offset=autoencoder.codebook.offset)
        np.savez_compressed(folder / GOLDEN, **_golden("encoder", encoder, inputs), **_golden("decoder", decoder, z))
        save(picture(evaluation, autoencoder, dataset, rows), folder / "evaluation.png")
        save(traversals(autoencoder), folder / "traversals.png")
        height, width, channels = model.image
        image = ImageSpec.model_validate({"height": height, "width": width, "channels": channels})
        manifest = Manifest(
            name=name,
            system=parameters.system,
            image=image,
            attributes=tuple(autoencoder.codebook.attributes),
            latents=autoencoder.codebook.parts,
            conditions=autoencoder.codebook.conditions,
            group=autoencoder.codebook.group,
            encoder=encoder.spec,
            decoder=decoder.spec,
            opset=OPSET,
            tolerances={"fp32": TOLERANCE, "tf32": 2e-2, "fp16": 2e-2},
            unfamiliar=threshold(unfamiliar.of_rows(EvaluationContext(autoencoder, dataset, rows))),
            training=provenance(parameters, checkpoint),
            scores=as_json(evaluation, dataset.ceilings),
        )
        (folder / CARD).write_text(card(manifest, evaluation, dataset.ceilings))
        return seal(folder, manifest)


def threshold(unlikeness: NDArray[np.float64]) -> float:
    """Beyond what unlikeness an image is unfamiliar, from that [N] of images that are familiar.

    At least ``MARGIN`` grey levels: no eye sees less, and no one means it.
    """
    return MARGIN * max(float(np.quantile(unlikeness, FAMILIAR)), 1 / 255)


def _golden(half: str, graph: Graph, inputs: Arrays) -> dict[str, Any]:
    """The first of the inputs, and torch's answers to them, named after the half that gives them."""
    first = {name: values[:GOLDEN_ROWS] for name, values in inputs.items()}
    return first | {f"{half}.{name}": answer for name, answer in graph.expected(first).items()}


def provenance(parameters: Parameters, checkpoint: Checkpoint) -> dict[str, object]:
    """How a run was trained: data, recipe, seed, code version, images seen, time, hardware.

    ``init`` is the same of the run that it began with, as long as that is there, else its path.
    """
    fields = ("data", "labels", "settings", "seed", "device", "hardware", "precision", "threads", "version", "command")
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


def _inputs(autoencoder: TorchAutoencoder, dataset: Dataset, rows: Rows) -> Arrays:
    """What the encoder takes of the rows; conditions are known of every other one."""
    batch = dataset.batch(rows)
    inputs = {"image": np.ascontiguousarray(image_tensor(batch.images).numpy())}
    if autoencoder.codebook.conditions:
        weights = label_weights(autoencoder, dataset.attributes, batch).astype(np.float32)
        inputs |= {CONDITION[0]: weights, CONDITION[1]: (np.arange(len(rows))[:, None] % 2).astype(np.float32)}
    return inputs


def _random_weights(attributes: Attributes, count: int) -> np.ndarray:
    """Weights of random attribute values, between classes too."""
    draw = np.random.default_rng(0)

    def values() -> dict[str, Any]:
        return {a.name: draw.integers(a.size) if a.kind == "nominal" else draw.uniform(*a.ends) for a in attributes}

    return np.stack([attributes.weights(values()) for _ in range(count)])
