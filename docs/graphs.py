"""What graph optimisation and int8 do to both graphs of a bundle: python docs/graphs.py service/bundles/dsprites

Microseconds per image in onnxruntime on one thread, medians of 25 turns, and quality on 3,000 held-out images of the
data that the model learned (drawn with seed 0). int8 is static, per channel, calibrated on 512 of them.
"""

import logging
import sys
import tempfile
from pathlib import Path
from statistics import median

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
from training.data import open_dataset
from training.evaluation import rows_to_score
from training.metrics import score

ROWS, CALIBRATION, BATCH = 3_000, 512, 64
Level = ort.GraphOptimizationLevel
LEVELS = {
    "fp32, not optimised": Level.ORT_DISABLE_ALL,
    "fp32, basic": Level.ORT_ENABLE_BASIC,
    "fp32, extended": Level.ORT_ENABLE_EXTENDED,
    "fp32, all, as served": Level.ORT_ENABLE_ALL,
}


class Examples(CalibrationDataReader):  # type: ignore[misc]
    """Inputs of a graph [N, ...], in batches."""

    def __init__(self, name: str, inputs: Float32) -> None:
        self._batches = iter(np.array_split(inputs, len(inputs) // BATCH))
        self._name = name

    def get_next(self) -> dict[str, Float32] | None:
        batch = next(self._batches, None)
        return None if batch is None else {self._name: batch}


class Replaced:
    """A codec whose graphs are others."""

    def __init__(self, autoencoder: Autoencoder, encoder: ort.InferenceSession, decoder: ort.InferenceSession) -> None:
        self._encoder, self._decoder = encoder, decoder
        self.codebook, self.image_shape, self.unfamiliar = (
            autoencoder.codebook,
            autoencoder.image_shape,
            autoencoder.unfamiliar,
        )

    def encode(self, images: NDArray[np.uint8], _given: NDArray[np.generic] | None = None) -> Encoded:
        return Encoded(*self._encoder.run(["z", "weights", "mean", "logvar"], {"image": floats(images)}))

    def decode(self, z: Float32) -> Float32:
        images: Float32 = self._decoder.run(None, {"z": z})[0].transpose(0, 2, 3, 1)
        return images


def floats(images: NDArray[np.uint8]) -> Float32:
    """Images [B, H, W, C] as the encoder takes them, [B, C, H, W] in 0..1."""
    return images.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)


def int8(graph: Path, name: str, inputs: Float32, folder: Path) -> bytes:
    """A graph in int8."""
    prepared, quantised = folder / f"{graph.stem}.onnx", folder / f"{graph.stem}-int8.onnx"
    quant_pre_process(str(graph), str(prepared))
    quantize_static(
        str(prepared), str(quantised), Examples(name, inputs), per_channel=True, weight_type=QuantType.QInt8
    )
    return quantised.read_bytes()


def main(bundle: Path) -> None:
    """Print the table of a bundle."""
    logging.disable(logging.WARNING)
    model = load(bundle, device="cpu")
    dataset = open_dataset(model.data, attributes=model.data_attributes)
    rows = next(iter(rows_to_score(dataset, at_most=ROWS).values()))
    images = floats(dataset.batch(rows[:CALIBRATION]).images)
    z = model.autoencoder.encode(dataset.batch(rows[:CALIBRATION]).images).z
    encoder, decoder = ((bundle / half).read_bytes() for half in (ENCODER, DECODER))
    with tempfile.TemporaryDirectory() as folder:
        variants = {name: (session(encoder, level), session(decoder, level)) for name, level in LEVELS.items()}
        variants["int8"] = (
            session(int8(bundle / ENCODER, "image", images, Path(folder))),
            session(int8(bundle / DECODER, "z", z, Path(folder))),
        )
        for half in range(2):
            print(f"\n{('encoder', 'decoder')[half]}, microseconds per image")
            print(f"{'':22}" + "".join(f"{f'batch {batch}':>10}" for batch in BATCHES))
            times = {name: {batch: [] for batch in BATCHES} for name in variants}  # type: dict[str, dict[int, list[float]]]
            for batch in list(BATCHES) * TURNS:
                for name, graphs in variants.items():
                    times[name][batch].append(turn(graphs[half], batch))
            for name, each in times.items():
                print(f"{name:22}" + "".join(f"{median(each[batch]):>10.0f}" for batch in BATCHES))
        print(f"\n{len(rows):,} held-out images")
        for name in ("fp32, all, as served", "int8"):
            print(name)
            for title, value in score(Replaced(model.autoencoder, *variants[name]), dataset, rows).items():
                if title.startswith(("accuracy", "decode")):
                    print(f"  {title:30}{value.mean:.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
