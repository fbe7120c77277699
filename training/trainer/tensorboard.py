"""Event files for TensorBoard, where it is installed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from training.atomic_files import naming

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


@contextmanager
def event_writer(folder: Path, step: int) -> Iterator[SummaryWriter | None]:
    """A writer of event files; None without TensorBoard.

    The run goes on after ``step``: TensorBoard then ignores later events that an earlier process has written. Raises
    OSError with the name of ``folder`` where its first or last events can't be written.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        tqdm.write("TensorBoard is not installed: no event files are written")
        yield None
        return
    with _quiet_threads():
        with naming(folder):
            writer = SummaryWriter(str(folder), purge_step=step + 1)
        try:
            yield writer
        except BaseException:
            with suppress(OSError):  # the first error tells more
                writer.close()
            raise
        with naming(folder):
            writer.close()


@contextmanager
def _quiet_threads() -> Iterator[None]:
    """Let no thread print an OSError: that of TensorBoard's writer is raised again where the writer is called."""
    before = threading.excepthook

    def hook(failure: threading.ExceptHookArgs) -> None:
        if not isinstance(failure.exc_value, OSError):
            before(failure)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before
