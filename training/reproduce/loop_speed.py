"""How fast the training loop is, beside a plain one of the same network, data and batches.

The network is that of github.com/fostiropoulos/ssvae (softmax space). Each measurement has its own process: what the
loop sets up (memory, precision, threads) would make the plain one faster too. Both take turns, so that other work on
the machine slows down both.
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

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from tqdm import tqdm

from training import presets
from training.data import open_dataset
from training.data.dsprites import COUNT, classes_of
from training.data.dsprites_renderer import render
from training.hardware import best_precision, processor_name
from training.parameters import Parameters
from training.presets import Setting
from training.runs import Run, RunError
from training.trainer.trainer import train_steps

DATA = "dsprites"
# Images that the plain loop holds in memory.
ROWS = 65_536
BATCHES = (64, 256)
ROUNDS = 5
# How long a loop is measured in each turn.
SECONDS = 8.0
# Steps before a measurement begins.
WARM_UP = 10
# Images that are rendered in a turn.
RENDERED = 4096
# The settings that make the softmax preset the published system.
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
    """The speed of both loops at each batch size, and that of the renderer, as lines of text.

    Images per second: medians of ``ROUNDS`` turns, and the median of the turns' ratios.
    """
    yield f"{processor_name(device)}, {device}, {threads} threads, torch {torch.__version__}"
    yield f"loop: {best_precision(device)}, channels last, fused Adam; plain: fp32, eager, in-memory images"
    yield f"{'batch':>6}{'plain':>10}{'loop':>10}{'ratio':>8}   of each turn"
    with tqdm(total=len(BATCHES) * ROUNDS * 2, desc="benchmark") as progress:
        for batch in BATCHES:
            plain_speeds: list[float] = []
            own_speeds: list[float] = []
            for _ in range(ROUNDS):
                for kind, speeds in (("plain", plain_speeds), ("loop", own_speeds)):
                    speeds.append(speed_in_new_process(kind, batch, device, threads))
                    progress.update()
            yield table_row(batch, plain_speeds, own_speeds)
    yield f"dSprites are rendered at {rendering_speed():,.0f} images/s on one thread"


def table_row(batch: int, plain_speeds: list[float], own_speeds: list[float]) -> str:
    """A line of the table from the images per second of each turn."""
    ratios = [ours / plain for ours, plain in zip(own_speeds, plain_speeds, strict=True)]
    turns = " ".join(f"{ratio:.2f}" for ratio in ratios)
    return f"{batch:>6}{median(plain_speeds):>10,.0f}{median(own_speeds):>10,.0f}{median(ratios):>8.2f}   {turns}"


def speed_in_new_process(kind: str, batch: int, device: str, threads: int) -> float:
    """Images per second of the loop ``plain`` or ``loop``, measured in a process of its own.

    Raises RunError with the last line that the process wrote if it fails, for instance as the disk is full.
    """
    command = [sys.executable, "-m", "training.reproduce.loop_speed", kind, str(batch), device, str(threads)]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    if finished.returncode:
        last = finished.stderr.splitlines()[-1:] or [f"exit status {finished.returncode}"]
        raise RunError(f"the loop {kind!r} failed: {last[0]}")
    return float(finished.stdout)


def rendering_speed() -> float:
    """Images per second of processor time that dSprites are rendered at, the best of ``ROUNDS`` turns."""
    classes = classes_of(np.random.default_rng(0).integers(0, COUNT, RENDERED))
    seconds = []
    for _ in range(ROUNDS):
        # Processor time, as other work on the machine does not count then.
        started = time.process_time()
        render(*classes.T)
        seconds.append(time.process_time() - started)
    return RENDERED / min(seconds)


def plain(batch: int, device: str, threads: int) -> float:
    """Images per second of a loop as in tutorials: eager, float32, Adam, images in memory."""
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
    """Images per second of this project's training loop, which draws its images while it trains."""
    dataset = open_dataset(DATA)
    with tempfile.TemporaryDirectory() as folder:
        parameters = Parameters.for_dataset(
            dataset,
            system="softmax",
            settings=presets.settings("softmax", PUBLISHED | {"batch_size": batch}),
            data=DATA,
            device=device,
            threads=threads,
            command="",
        )
        return _speed(train_steps(Run.create(Path(folder) / "run", parameters), dataset), batch, device)


def _speed(steps: Iterator[None], batch: int, device: str) -> float:
    """Images per second of training steps, after ``WARM_UP`` steps."""
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
