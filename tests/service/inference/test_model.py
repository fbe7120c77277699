from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from export.bundle import DECODER, GOLDEN, BundleError, read_bundle
from export.manifest import TensorSpec
from service.batching.scheduler import MAX_BATCH
from service.inference import providers
from service.inference.model import Model
from service.inference.providers import ModelError
from tests.service.toy_systems import STYLE_SCALE, STYLE_SD
from tests.service.toys import toy_bundle


def test_decode_paints_z_and_encode_reads_it_back(bundles: Path):
    model = Model.load(bundles / "grey", "cpu")
    weights = model.attributes.weights({"shape": "heart", "scale": 2.5})
    z = model.codebook.place(weights[None])
    images = model.decode(z)
    assert images.shape == (1, 1, 32, 32)
    np.testing.assert_allclose(images.reshape(1, -1)[:, : len(weights)], [weights], atol=1e-6)
    outputs = model.encode(images)
    np.testing.assert_allclose(outputs["weights"], [weights], atol=1e-5)
    np.testing.assert_allclose(outputs["z"], z, atol=1e-5)


def test_a_posterior_comes_with_what_the_manifest_lists(bundles: Path):
    outputs = Model.load(bundles / "codes", "cpu").encode(np.zeros((2, 1, 32, 32), np.float32))
    assert set(outputs) == {"z", "weights", "mean", "logvar"}
    np.testing.assert_allclose(np.exp(outputs["logvar"] / 2), STYLE_SD * STYLE_SCALE, rtol=1e-6)


def test_batches_are_run_in_chunks_and_give_what_single_images_give(bundles: Path):
    model = Model.load(bundles / "codes", "cpu")
    images = np.random.default_rng(0).random((2 * MAX_BATCH + 3, 1, 32, 32), np.float32)
    together = model.encode(images)["z"]
    single = np.concatenate([model.encode(image[None])["z"] for image in images])
    np.testing.assert_allclose(together, single, atol=1e-6)


def test_an_unknown_condition_is_inferred(bundles: Path):
    model = Model.load(bundles / "conditional", "cpu")
    images = np.random.default_rng(0).random((2, 1, 32, 32), np.float32)
    np.testing.assert_allclose(model.encode(images)["z"][:, :9], images.reshape(2, -1)[:, :9], atol=1e-5)


def test_a_condition_is_fed_as_it_is_told(bundles: Path):
    model = Model.load(bundles / "conditional", "cpu")
    images = np.random.default_rng(0).random((2, 1, 32, 32), np.float32)
    condition = np.random.default_rng(1).random((2, 10), np.float32)
    told = model.encode(images, condition=condition, condition_known=np.array([[0], [1]], np.float32))["z"]
    np.testing.assert_allclose(told[0, :9], images[0].ravel()[:9], atol=1e-5)
    np.testing.assert_allclose(told[1, :9], condition[1, :9], atol=1e-5)


@pytest.mark.parametrize("name", ["z", "condition", "condition_known"])
def test_golden_vectors_that_lack_an_input_are_refused(bundles: Path, name: str):
    bundle = read_bundle(bundles / "conditional")
    arrays = {key: array for key, array in bundle.golden.items() if key != name}
    file = BytesIO()
    np.savez(file, **arrays)
    with pytest.raises(BundleError, match=rf"golden\.npz: lacks {name}$"):
        Model(replace(bundle, files=bundle.files | {GOLDEN: file.getvalue()}), "cpu")


def test_golden_conditions_are_replayed(bundles: Path):
    """With other conditions the same images no longer give the golden answers."""
    bundle = read_bundle(bundles / "conditional")
    file = BytesIO()
    np.savez(file, **(bundle.golden | {"condition_known": np.zeros((4, 1), np.float32)}))
    with pytest.raises(ModelError, match="golden vectors are not reproduced"):
        Model(replace(bundle, files=bundle.files | {GOLDEN: file.getvalue()}), "cpu")


def test_golden_vectors_that_differ_are_refused_with_the_difference(tmp_path: Path):
    with pytest.raises(ModelError, match=r"encoder\.z differs by 0\.01, tolerance 0\.0001"):
        Model.load(toy_bundle(tmp_path / "wrong", golden_error=0.01), "cpu")


def test_nan_in_golden_vectors_is_a_difference(tmp_path: Path):
    with pytest.raises(ModelError, match="differs by nan"):
        Model.load(toy_bundle(tmp_path / "wrong", golden_error=np.nan), "cpu")


def test_graphs_other_than_the_manifest_says_are_refused(tmp_path: Path, bundles: Path):
    spec = read_bundle(bundles / "grey").manifest.encoder
    more = spec.model_copy(update={"outputs": (*spec.outputs, TensorSpec(name="mean", shape=(-1, 3)))})
    with pytest.raises(ModelError, match=r"encoder\.onnx: has outputs"):
        Model.load(toy_bundle(tmp_path / "wrong", encoder=more), "cpu")


def test_a_damaged_graph_never_reaches_onnxruntime(tmp_path: Path):
    path = toy_bundle(tmp_path / "damaged")
    content = bytearray((path / DECODER).read_bytes())
    content[100] ^= 1
    (path / DECODER).write_bytes(content)
    with pytest.raises(BundleError, match=r"decoder\.onnx: sha256 differs"):
        Model.load(path, "cpu")


def test_auto_reports_the_provider_really_in_use(bundles: Path, monkeypatch: pytest.MonkeyPatch):
    # What the GPU build says on a machine without a GPU.
    monkeypatch.setattr(providers.ort, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(providers.ctypes, "CDLL", _no_driver)
    model = Model.load(bundles / "grey", "auto")
    assert model.provider == "CPUExecutionProvider"


def test_cuda_is_refused_with_the_reason_where_it_can_not_be_had(bundles: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(providers.ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ModelError, match="onnxruntime-gpu"):
        Model.load(bundles / "grey", "cuda")
    monkeypatch.setattr(providers.ort, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(providers.ctypes, "CDLL", _no_driver)
    with pytest.raises(ModelError, match="no NVIDIA driver"):
        Model.load(bundles / "grey", "cuda")


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_silent_fallback_to_the_cpu_is_no_cuda(bundles: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(providers, "cuda_obstacle", lambda provider: None)
    assert Model.load(bundles / "grey", "auto").provider == "CPUExecutionProvider"
    with pytest.raises(ModelError, match="CUDAExecutionProvider can't be used"):
        Model.load(bundles / "grey", "cuda")


def _no_driver(name: str) -> None:
    raise OSError(name)


@pytest.mark.skipif(providers.cuda_obstacle() is not None, reason=f"needs CUDA: {providers.cuda_obstacle()}")
def test_on_cuda_the_golden_vectors_are_reproduced(bundles: Path):
    assert Model.load(bundles / "grey", "cuda").provider == "CUDAExecutionProvider"
