"""Speed and quality of a bundle's graphs by graph optimisation, and in int8.

    python docs/graphs.py service/bundles/dsprites

Speed: microseconds per image in onnxruntime on one thread, medians of 25 turns.
Quality: on 3,000 held-out images of the model's data, drawn with seed 0.
int8 is static, per channel, calibrated on 512 of these images.
"""

import logging
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from attributes import Float32
from export.bundle import DECODER, ENCODER
from export.onnx import session
from export.speed import BATCHES, TURNS, turn
from spritevae import load
from training.autoencoder import Autoencoder, Encoded
from training.data import Reading, open_dataset
from training.evaluation import rows_to_score
from training.metrics import score

ROWS = 3_000  # scored images
CALIBRATION = 512  # images that int8 is calibrated on
BATCH = 64  # of the calibration
Level = ort.GraphOptimizationLevel
LEVELS = {
    "fp32, not optimised": Level.ORT_DISABLE_ALL,
    "fp32, basic": Level.ORT_ENABLE_BASIC,
    "fp32, extended": Level.ORT_ENABLE_EXTENDED,
    "fp32, all, as served": Level.ORT_ENABLE_ALL,
}


class Sessions(NamedTuple):
    """Both graphs of a bundle in onnxruntime."""

    encoder: ort.InferenceSession
    decoder: ort.InferenceSession


class CalibrationBatches(CalibrationDataReader):  # type: ignore[misc]
    """Inputs [N, ...] of a graph, in batches."""

    def __init__(self, name: str, inputs: Float32) -> None:
        self._batches = iter(np.array_split(inputs, len(inputs) // BATCH))
        self._name = name

    def get_next(self) -> dict[str, Float32] | None:
        batch = next(self._batches, None)
        return None if batch is None else {self._name: batch}


class SessionAutoencoder:
    """A bundle's autoencoder that runs other sessions."""

    def __init__(self, autoencoder: Autoencoder, sessions: Sessions) -> None:
        self._sessions = sessions
        self.codebook = autoencoder.codebook
        self.image_shape = autoencoder.image_shape
        self.unfamiliar = autoencoder.unfamiliar

    def encode(self, images: NDArray[np.uint8], _given: NDArray[np.generic] | None = None) -> Encoded:
        return Encoded(*self._sessions.encoder.run(["z", "weights", "mean", "logvar"], {"image": to_float(images)}))

    def decode(self, z: Float32) -> Float32:
        images: Float32 = self._sessions.decoder.run(None, {"z": z})[0].transpose(0, 2, 3, 1)
        return images


def to_float(images: NDArray[np.uint8]) -> Float32:
    """Images [B, H, W, C] as the encoder takes them: [B, C, H, W] in 0..1."""
    return images.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)


def quantised(graph: Path, name: str, inputs: Float32, folder: Path) -> bytes:
    """A graph in int8, calibrated on inputs [N, ...]; ``folder`` is for temporary files."""
    prepared, int8 = folder / f"{graph.stem}.onnx", folder / f"{graph.stem}-int8.onnx"
    quant_pre_process(str(graph), str(prepared))
    batches = CalibrationBatches(name, inputs)
    quantize_static(str(prepared), str(int8), batches, per_channel=True, weight_type=QuantType.QInt8)
    return int8.read_bytes()


def variants(bundle: Path, images: NDArray[np.uint8], z: Float32) -> dict[str, Sessions]:
    """Sessions of the bundle's graphs by name: each level of optimisation, and int8 calibrated on images and z."""
    encoder, decoder = ((bundle / half).read_bytes() for half in (ENCODER, DECODER))
    sessions = {name: Sessions(session(encoder, level), session(decoder, level)) for name, level in LEVELS.items()}
    with tempfile.TemporaryDirectory() as folder:
        sessions["int8"] = Sessions(
            session(quantised(bundle / ENCODER, "image", to_float(images), Path(folder))),
            session(quantised(bundle / DECODER, "z", z, Path(folder))),
        )
    return sessions


def print_speeds(sessions: dict[str, Sessions]) -> None:
    """Time all variants in turns, so that a slower moment of the machine hits all of them."""
    for half in ("encoder", "decoder"):
        print(f"\n{half}, microseconds per image")
        print(f"{'':22}" + "".join(f"{f'batch {batch}':>10}" for batch in BATCHES))
        times: dict[str, dict[int, list[float]]] = {name: {batch: [] for batch in BATCHES} for name in sessions}
        for batch in list(BATCHES) * TURNS:
            for name, pair in sessions.items():
                times[name][batch].append(turn(getattr(pair, half), batch))
        for name, by_batch in times.items():
            print(f"{name:22}" + "".join(f"{median(by_batch[batch]):>10.0f}" for batch in BATCHES))


def main(bundle: Path) -> None:
    """Print the tables of a bundle."""
    logging.disable(logging.WARNING)
    model = load(bundle, device="cpu")
    dataset = open_dataset(model.data, (), model.data_attributes, Reading.of(model.reading))
    rows = next(iter(rows_to_score(dataset, at_most=ROWS).values()))
    images = dataset.batch(rows[:CALIBRATION]).images
    sessions = variants(bundle, images, model.autoencoder.encode(images).z)
    print_speeds(sessions)
    print(f"\n{len(rows):,} held-out images")
    for name in ("fp32, all, as served", "int8"):
        print(name)
        for metric, value in score(SessionAutoencoder(model.autoencoder, sessions[name]), dataset, rows).items():
            if metric.startswith(("accuracy", "decode")):
                print(f"  {metric:30}{value.mean:.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
