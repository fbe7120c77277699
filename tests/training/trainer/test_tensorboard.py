import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.trainer.tensorboard import event_writer


def steps(folder: Path) -> list[int]:
    """The steps that TensorBoard shows."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return [event.step for event in events.Scalars("train/loss")]


def test_events_that_an_earlier_process_wrote_after_its_checkpoint_are_not_shown(tmp_path: Path) -> None:
    with event_writer(tmp_path, 0) as writer:
        assert writer is not None
        for step in (1, 2, 3):
            writer.add_scalar("train/loss", 0.0, step)
    assert steps(tmp_path) == [1, 2, 3]
    with event_writer(tmp_path, 1) as writer:
        assert writer is not None
        writer.add_scalar("train/loss", 0.0, 2)
    assert steps(tmp_path) == [1, 2]


def test_without_tensorboard_no_event_files_are_written_and_a_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)  # importing it fails
    with event_writer(tmp_path, 0) as writer:
        assert writer is None
    assert "TensorBoard is not installed" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
