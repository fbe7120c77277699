from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import onnxruntime as ort
import pytest
from packaging.version import Version

from export.bundle import DECODER, Bundle, read_bundle
from service.inference import providers
from service.inference.model import Model
from service.inference.providers import CPU, CUDA, ModelError, concurrent_batches
from tests.service.toys import toy_bundle


def with_decoder(bundle: Bundle, graph: bytes) -> Bundle:
    """A bundle that ``read_bundle`` has let through with another decoder."""
    return replace(bundle, files={**bundle.files, DECODER: graph})


@pytest.mark.skipif(Version(ort.__version__) < Version("1.24"), reason="onnxruntime 1.23 asks for no folder")
@pytest.mark.parametrize("place", ["paint", "../paint", "{absolute}"])
def test_onnxruntime_finds_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str):
    """Even if a graph that names one were read."""
    bundle = read_bundle(toy_bundle(tmp_path / "toy"))
    model = onnx.load_model_from_string(bundle.files[DECODER])
    (paint,) = [tensor for tensor in model.graph.initializer if tensor.name == "paint"]
    below = tmp_path / "below"
    below.mkdir()
    for folder in (tmp_path, below):
        (folder / "paint").write_bytes(paint.raw_data)
    monkeypatch.chdir(below)
    paint.ClearField("raw_data")
    paint.data_location = onnx.TensorProto.EXTERNAL
    entry = paint.external_data.add()
    entry.key, entry.value = "location", place.format(absolute=below / "paint")
    with pytest.raises(ModelError, match=r"decoder\.onnx: "):
        Model(with_decoder(bundle, model.SerializeToString()), "cpu")


def test_a_graph_in_another_format_is_refused(tmp_path: Path):
    """onnxruntime's own format is not what ``export.external_data`` looks through."""
    bundle = read_bundle(toy_bundle(tmp_path / "toy"))
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "decoder.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    ort.InferenceSession(bundle.files[DECODER], options, providers=[CPU])
    content = (tmp_path / "decoder.ort").read_bytes()
    assert ort.InferenceSession(content, providers=[CPU]).get_inputs()[0].name == "z"
    with pytest.raises(ModelError, match=r"decoder\.onnx: "):
        Model(with_decoder(bundle, content), "cpu")


def test_as_many_batches_run_as_there_are_cores_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(providers, "cores", lambda: 8)
    assert [concurrent_batches(CPU, threads) for threads in (1, 3, 16)] == [8, 2, 1]
    assert concurrent_batches(CUDA, 1) == 1
