"""Inference times of a model's two ONNX graphs in onnxruntime, compared with a reference pair."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import onnxruntime as ort
import torch
from torch import nn
from tqdm import tqdm

from export.bundle import DECODER, ENCODER, MANIFEST, read_bundle
from export.onnx import Arrays, decoder_graph, encoder_graph, session, to_onnx
from training.atomic_files import write_json
from training.networks import StridedEncoder, TransposedDecoder
from training.runs import SPEEDS, Run

BATCHES = (1, 32)
TURNS = 25
SECONDS = 0.05  # of one turn, before the other graph runs
SIDE, LATENT = 64, 113  # the reference's image side and length of z


class Speed(NamedTuple):
    """Time of a graph at a batch size: medians over turns."""

    graph: str
    batch: int
    microseconds: float
    """Per image."""
    reference: float
    """Microseconds per image of the reference."""
    share: float
    """Of the reference's time in the same turn."""


def reference() -> dict[str, bytes]:
    """ONNX graphs of a usual convolutional VAE for 64 x 64 pixels, with random weights.

    Encoder: convolutions 1-32-32-64-64 of 4 x 4, stride 2, dense 1024-256-113. Decoder: dense 113-256-1024,
    transposed convolutions 64-64-32-32-1 of 4 x 4, stride 2.
    """
    torch.manual_seed(0)
    encoder = StridedEncoder((SIDE, SIDE, 1), channels=(32, 32, 64, 64), hidden=(256,))
    halves: dict[str, tuple[nn.Module, str, torch.Tensor, str]] = {
        "encoder": (nn.Sequential(encoder, nn.Linear(256, LATENT)), "image", torch.rand(2, 1, SIDE, SIDE), "z"),
        "decoder": (
            nn.Sequential(TransposedDecoder(LATENT, (SIDE, SIDE, 1), (256,), (64, 64, 32, 32)), nn.Sigmoid()),
            "z",
            torch.rand(2, LATENT),
            "image",
        ),
    }
    return {
        half: to_onnx(module.eval(), {input_name: example}, (output_name,)).SerializeToString()
        for half, (module, input_name, example, output_name) in halves.items()
    }


def graphs(path: Path) -> dict[str, bytes]:
    """``encoder`` and ``decoder`` of a bundle, or of a run as they would be exported."""
    if (path / MANIFEST).is_file():
        files = read_bundle(path).files
        return {"encoder": files[ENCODER], "decoder": files[DECODER]}
    model = Run.open(path).load()
    return {"encoder": encoder_graph(model).content, "decoder": decoder_graph(model).content}


def speeds(graphs: Mapping[str, bytes]) -> Iterator[Speed]:
    """Times of ``encoder`` and ``decoder`` on one thread; each graph takes turns with the reference."""
    for half, reference_graph in reference().items():
        sessions = [session(graphs[half]), session(reference_graph)]
        for batch in tqdm(BATCHES, desc=half):
            turns = [[turn(each, batch) for each in sessions] for _ in range(TURNS)]
            own, theirs = ([turn[i] for turn in turns] for i in range(2))
            shares = [a / b for a, b in zip(own, theirs, strict=True)]
            yield Speed(half, batch, median(own), median(theirs), median(shares))


def time_run(run: Run) -> None:
    """Write the speeds of a run's graphs into its folder, unless they are there."""
    file = run.path / SPEEDS
    if not file.exists():
        measured = [*speeds(graphs(run.path))]
        write_json(file, {f"speed.{each.graph}.{each.batch}": (each.microseconds, each.share) for each in measured})


def table(measured: list[Speed]) -> str:
    """Speeds as text."""
    lines = [
        "microseconds per image, onnxruntime, one thread",
        f"{'':10}{'batch':>6}{'own':>9}{'reference':>11}{'share':>8}",
    ]
    lines += [
        f"{each.graph:10}{each.batch:>6}{each.microseconds:>9.1f}{each.reference:>11.1f}{each.share:>8.2f}"
        for each in measured
    ]
    return "\n".join(lines)


def turn(graph: ort.InferenceSession, batch: int) -> float:
    """Microseconds per image of one turn; its first run warms the caches and is not counted."""
    rng = np.random.default_rng(0)
    inputs: Arrays = {each.name: rng.random((batch, *each.shape[1:]), np.float32) for each in graph.get_inputs()}
    graph.run(None, inputs)
    started, runs = time.perf_counter(), 0
    while time.perf_counter() - started < SECONDS:
        graph.run(None, inputs)
        runs += 1
    return (time.perf_counter() - started) / runs / batch * 1e6
