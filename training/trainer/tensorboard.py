"""Event files for TensorBoard, where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


@contextmanager
def event_writer(folder: Path, step: int) -> Iterator[SummaryWriter | None]:
    """A writer of event files; None without TensorBoard.

    The run goes on after ``step``: TensorBoard then ignores later events that an earlier process has written.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        tqdm.write("TensorBoard is not installed: no event files are written")
        yield None
        return
    with SummaryWriter(str(folder), purge_step=step + 1) as writer:
        yield writer
