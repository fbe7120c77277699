"""How fast the training loop is, beside a plain one of the same network, data and batches.

The network is that of github.com/fostiropoulos/ssvae (softmax space). Each measurement is a process of its own, as what
the loop sets up (memory, precision, threads) would help the plain one too; both take turns, so that whatever else the
machine does meets both.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F
from torch import nn
from tqdm import tqdm

from training import presets
from training.data import open_dataset
from training.presets import Setting
from training.runs import Parameters, Run
from training.trainer import trainer

DATA = "dsprites"
ROWS = 65_536
"""So many images the plain loop holds in memory."""
BATCHES = (64, 256)
ROUNDS = 5
SECONDS = 8.0
WARM_UP = 10
PUBLISHED: dict[str, Setting] = {
    "encoder": "strided",
    "decoder": "transposed",
    "optimizer": "adam",
    "latent_weight": 1.0,
    "label_share": 0.0,
    "cycle_share": 0.0,
    "off_grid_share": 0.0,
    "images": 100_000_000,
}
"""The settings that make the softmax preset the published system."""


class Published(nn.Module):
    """The published network as one would write it with torch's own layers."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        encoder: list[nn.Module] = []
        for inputs in (1, 32, 32, 32):
            encoder += [nn.Conv2d(inputs, 32, 4, stride=2, padding=1), nn.ReLU()]
        encoder += [nn.Flatten(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()]
        self.encoder = nn.Sequential(*encoder, nn.Linear(256, 2 * classes))
        decoder = [nn.Linear(classes, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Unflatten(1, (32, 4, 4))]
        for _ in range(3):
            decoder += [nn.ConvTranspose2d(32, 32, 4, stride=2, padding=1), nn.ReLU()]
        self.decoder = nn.Sequential(*decoder, nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1))


def table(device: str, threads: int) -> Iterator[str]:
    """Images per second of both loops at each batch size, medians of ``ROUNDS`` turns, and their ratio, as text."""
    yield f"{trainer.hardware(device)}, {device}, {threads} threads, torch {torch.__version__}"
    yield f"loop: {trainer.best_precision(device)}, channels last, fused Adam; plain: fp32, eager, in-memory images"
    yield f"{'batch':>6}{'plain':>10}{'loop':>10}{'ratio':>8}   of each turn"
    with tqdm(total=len(BATCHES) * ROUNDS * 2, desc="benchmark") as progress:
        for batch in BATCHES:
            speeds: dict[str, list[float]] = {"plain": [], "loop": []}
            for kind in list(speeds) * ROUNDS:
                speeds[kind].append(_measured(kind, batch, device, threads))
                progress.update()
            ratios = [ours / plain for ours, plain in zip(speeds["loop"], speeds["plain"], strict=True)]
            plain, ours = (median(speeds[kind]) for kind in ("plain", "loop"))
            turns = " ".join(f"{ratio:.2f}" for ratio in ratios)
            yield f"{batch:>6}{plain:>10,.0f}{ours:>10,.0f}{median(ratios):>8.2f}   {turns}"


def _measured(kind: str, batch: int, device: str, threads: int) -> float:
    command = [sys.executable, "-m", "training.reproduce.loop_speed", kind, str(batch), device, str(threads)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(answer.stdout)


def plain(batch: int, device: str, threads: int) -> float:
    """Images per second of a loop as tutorials have it: eager, float32, Adam, images in memory."""
    torch.set_num_threads(threads)
    dataset = open_dataset(DATA)
    rows = dataset.batch(torch.randint(len(dataset), (ROWS,)).numpy())
    images, targets = torch.from_numpy(rows.images).permute(0, 3, 1, 2), torch.from_numpy(rows.targets)
    model = Published(dataset.attributes.total).to(device)
    sizes = [attribute.size for attribute in dataset.attributes]
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    def steps() -> Iterator[None]:
        while True:
            chosen = torch.randint(ROWS, (batch,))
            x, y = images[chosen].to(device).float() / 255, targets[chosen].to(device)
            mean, logvar = model.encoder(x).chunk(2, dim=1)
            sample = mean + (logvar / 2).exp() * torch.randn_like(mean)
            z = torch.cat([part.softmax(dim=1) for part in sample.split(sizes, dim=1)], dim=1)
            bce = F.binary_cross_entropy_with_logits(model.decoder(z), x, reduction="sum") / batch
            kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar)
            loss = bce
            for divergence, logits, target in zip(*(each.split(sizes, dim=1) for each in (kl, mean, y)), strict=True):
                loss = loss + divergence.mean(dim=1).mean() + 100 * F.cross_entropy(logits, target)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            yield

    return _speed(steps(), batch, device)


def own(batch: int, device: str, threads: int) -> float:
    """Images per second of ``training.trainer.trainer``, drawing the images included."""
    dataset = open_dataset(DATA)
    with tempfile.TemporaryDirectory() as folder:
        parameters = Parameters(
            system="softmax",
            settings=presets.settings("softmax", PUBLISHED | {"batch_size": batch}),
            data=DATA,
            overrides=(),
            labels="",
            attributes=tuple(dataset.attributes),
            image=dataset.image_shape,
            rows=len(dataset),
            content=dataset.content,
            init=None,
            seed=0,
            device=device,
            precision=trainer.best_precision(device),
            threads=threads,
            deterministic=False,
            version="",
            command="",
            hardware="",
        )
        return _speed(trainer.steps(Run.create(Path(folder) / "run", parameters), dataset), batch, device)


def _speed(steps: Iterator[None], batch: int, device: str) -> float:
    """Images per second of steps, once they are warm."""
    for _ in range(WARM_UP):
        next(steps)
    synchronise: Callable[[], None] = torch.cuda.synchronize if device == "cuda" else lambda: None
    synchronise()
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < SECONDS:
        next(steps)
        done += 1
    synchronise()
    return done * batch / (time.perf_counter() - started)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("kind", choices=["plain", "loop"])
    arguments.add_argument("batch", type=int)
    arguments.add_argument("device")
    arguments.add_argument("threads", type=int)
    chosen = arguments.parse_args()
    measure = plain if chosen.kind == "plain" else own
    print(measure(chosen.batch, chosen.device, chosen.threads))
