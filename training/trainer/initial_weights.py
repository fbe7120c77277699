"""Beginning with the weights of another run."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from training.model import VAE
from training.runs import Run, RunError


def load_matching_weights(model: VAE, path: str) -> None:
    """Take the weights of the run at ``path`` wherever name and shape are the same, and print which were not taken.

    Raises RunError if none are the same, or if there is no run with a checkpoint.
    """
    given = Run.open(Path(path)).load().state_dict()
    own = {name: value for name, value in model.state_dict().items() if isinstance(value, Tensor)}
    taken = {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}
    if not taken:
        raise RunError(f"--init {path}: none of its weights have the shape of this model's")
    model.load_state_dict(taken, strict=False)
    if fresh := sorted(own.keys() - taken.keys()):
        print(
            f"--init {path}: takes {len(taken)} of {len(own)} tensors; fresh, as of another shape: {', '.join(fresh)}"
        )
