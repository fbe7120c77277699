"""Graphs as a GPU runs them, on the CPU: sizes and buffers are the same, and so must be what comes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from export.bundle import DECODER, ENCODER
from service.batching.jobs import MAX_BATCH
from service.inference.sessions import BUCKETS, CudaGraphSession, PaddedSession, Session


@pytest.fixture(scope="module", params=[ENCODER, DECODER])
def session(bundles: Path, request: pytest.FixtureRequest) -> ort.InferenceSession:
    return ort.InferenceSession(bundles / "codes" / request.param, providers=["CPUExecutionProvider"])


def feeds(session: ort.InferenceSession, count: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(count)
    return {node.name: draw.random((count, *node.shape[1:]), np.float32) for node in session.get_inputs()}


@pytest.mark.parametrize("make", [Session, PaddedSession, lambda session: CudaGraphSession(session, "cpu")])
def test_any_number_of_rows_gives_what_onnxruntime_gives(session: ort.InferenceSession, make):
    graph = make(session)
    for count in (1, 2, 3, 5, 33, MAX_BATCH, MAX_BATCH + 1, 2 * MAX_BATCH + 3):
        given = feeds(session, count)
        outputs = graph.run(given)
        expected = session.run(None, given)
        for name, array in zip(graph.outputs, expected, strict=True):
            np.testing.assert_allclose(outputs[name], array, atol=1e-6)


def test_results_are_not_the_buffers_of_the_next_batch(session: ort.InferenceSession):
    graph = CudaGraphSession(session, "cpu")
    first = graph.run(feeds(session, 2))
    kept = {name: array.copy() for name, array in first.items()}
    graph.run({name: 1 - array for name, array in feeds(session, 2).items()})
    for name, array in kept.items():
        np.testing.assert_array_equal(first[name], array)


def test_a_padded_graph_sees_few_sizes(session: ort.InferenceSession, monkeypatch: pytest.MonkeyPatch):
    sizes: set[int] = set()
    run = Session._batch

    def noted(graph: Session, given: dict[str, np.ndarray], count: int) -> list[np.ndarray]:
        sizes.add(len(next(iter(given.values()))))
        return run(graph, given, count)

    monkeypatch.setattr(Session, "_batch", noted)
    graph = PaddedSession(session)
    for count in range(1, MAX_BATCH + 1):
        graph.run(feeds(session, count))
    assert sizes == set(BUCKETS)
