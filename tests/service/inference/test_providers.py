from __future__ import annotations

import pytest

from service.inference import providers
from service.inference.providers import CPU, CUDA, concurrent_batches


def test_as_many_batches_run_as_there_are_cores_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(providers, "cores", lambda: 8)
    assert [concurrent_batches(CPU, threads) for threads in (1, 3, 16)] == [8, 2, 1]
    assert concurrent_batches(CUDA, 1) == 1
