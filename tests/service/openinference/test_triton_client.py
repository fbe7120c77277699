"""``tritonclient``, unchanged, against a server on a socket."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as aio
from tritonclient.utils import InferenceServerException

from export.bundle import read_bundle
from tests.service.openinference.asking import IMAGES, WithKey
from tests.service.toy_systems import EPSILON, Array
from tests.service.toys import toy_bundle

Client = triton.InferenceServerClient


def given(name: str, values: Array, binary: bool = True) -> triton.InferInput:
    return triton.InferInput(name, list(values.shape), "FP32").set_data_from_numpy(values, binary_data=binary)


def wanted(*names: str, binary: bool) -> list[triton.InferRequestedOutput]:
    return [triton.InferRequestedOutput(name, binary_data=binary) for name in names]


def test_server_and_models_are_live_and_ready(triton_client: Client):
    assert triton_client.is_server_live()
    assert triton_client.is_server_ready()
    for name in ("grey", "grey.encoder", "grey.decoder"):
        assert triton_client.is_model_ready(name)
    assert not triton_client.is_model_ready("gray")
    assert triton_client.is_model_ready("grey", "1")
    assert not triton_client.is_model_ready("grey", "2")


def test_the_server_tells_its_extensions(triton_client: Client):
    metadata = triton_client.get_server_metadata()
    assert metadata["name"] == "spritevae"
    assert metadata["extensions"] == [
        "binary_tensor_data",
        "model_configuration",
        "statistics",
        "model_repository",
    ]


def test_metadata_of_a_model_are_what_its_bundle_says(triton_client: Client, bundles: Path):
    manifest = read_bundle(bundles / "conditional").manifest
    encoder = triton_client.get_model_metadata("conditional.encoder")
    for kind, specs in (("inputs", manifest.encoder.inputs), ("outputs", manifest.encoder.outputs)):
        shapes = {tensor["name"]: (tensor["datatype"], tuple(tensor["shape"])) for tensor in encoder[kind]}
        assert shapes == {spec.name: ("FP32", spec.shape) for spec in specs}
    assert encoder["versions"] == ["1"]
    assert triton_client.get_model_metadata("conditional.encoder", "1") == encoder
    attribute_decoder = triton_client.get_model_metadata("colour")
    assert attribute_decoder["inputs"] == [{"name": "weights", "datatype": "FP32", "shape": [-1, 81]}]
    assert attribute_decoder["outputs"] == [{"name": "image", "datatype": "UINT8", "shape": [-1, 28, 40, 3]}]


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_an_encoder_reads_images(triton_client: Client, binary_in: bool, binary_out: bool, compression: str | None):
    result = triton_client.infer(
        "grey.encoder",
        [given("image", IMAGES, binary_in)],
        outputs=wanted("weights", "z", binary=binary_out),
        request_id="seven",
        request_compression_algorithm=compression,
        response_compression_algorithm=compression,
    )
    for name in ("z", "weights"):
        np.testing.assert_allclose(result.as_numpy(name), IMAGES.reshape(2, -1)[:, :81] + EPSILON, rtol=1e-6)
    answer = result.get_response()
    assert (answer["id"], answer["model_name"]) == ("seven", "grey.encoder")
    assert [output["name"] for output in answer["outputs"]] == ["weights", "z"]
    assert ("data" in answer["outputs"][0]) is not binary_out


def test_all_outputs_come_where_none_is_named(triton_client: Client):
    result = triton_client.infer("codes.encoder", [given("image", IMAGES)])
    assert [each["name"] for each in result.get_response()["outputs"]] == ["weights", "z", "mean", "logvar"]
    np.testing.assert_array_equal(result.as_numpy("mean"), result.as_numpy("z"))


def test_what_an_encoder_gives_a_decoder_takes(triton_client: Client):
    z = triton_client.infer("grey.encoder", [given("image", IMAGES)]).as_numpy("z")
    image = triton_client.infer("grey.decoder", [given("z", z)]).as_numpy("image")
    assert image.shape == (2, 1, 32, 32)
    np.testing.assert_allclose(image.reshape(2, -1)[:, :81], z, rtol=1e-6)


def test_attribute_weights_are_drawn_as_pixels(triton_client: Client):
    """Normalised: two and six of nine shares of the first two shapes are a quarter and three quarters."""
    weights = np.ones((1, 81), np.float32)
    weights[0, :3] = 2, 6, 0
    image = triton_client.infer("colour", [given("weights", weights)]).as_numpy("image")
    assert (image.dtype, image.shape) == (np.uint8, (1, 28, 40, 3))
    np.testing.assert_array_equal(image[0, 0, :3, 0], [64, 191, 0])


def test_a_condition_counts_where_it_is_known(triton_client: Client):
    condition, known = np.zeros((2, 10), np.float32), np.array([[1], [0]], np.float32)
    condition[:, [1, 5]] = 1
    inputs = [given("image", IMAGES), given("condition", condition), given("condition_known", known)]
    told = triton_client.infer("conditional.encoder", inputs).as_numpy("z")
    alone = triton_client.infer("conditional.encoder", inputs[:1]).as_numpy("z")
    np.testing.assert_array_equal(told[0, :9], condition[0, :9])
    np.testing.assert_allclose(told[1], alone[1], rtol=1e-6)


def test_tools_that_measure_find_a_configuration_and_statistics(triton_client: Client):
    """What perf_analyzer asks: metadata, configuration, and statistics before and after it infers."""
    config = triton_client.get_model_config("grey.encoder", "1")
    assert config == triton_client.get_model_config("grey.encoder")
    assert triton_client.get_model_metadata("grey.encoder")["versions"] == ["1"]
    largest = np.zeros((config["max_batch_size"] // 2, *config["input"][0]["dims"]), np.float32)
    (before,) = triton_client.get_inference_statistics("grey.encoder")["model_stats"]
    outputs = wanted(*(output["name"] for output in config["output"]), binary=True)
    triton_client.infer("grey.encoder", [given("image", largest)], "1", outputs)
    triton_client.infer("grey.encoder", [given("image", IMAGES)], "1", outputs)
    (after,) = triton_client.get_inference_statistics("grey.encoder", "1")["model_stats"]
    assert after["inference_count"] - before["inference_count"] == len(largest) + 2
    assert after["inference_stats"]["success"]["count"] - before["inference_stats"]["success"]["count"] == 2
    everything = triton_client.get_inference_statistics()["model_stats"]
    assert after in everything
    assert {each["name"] for each in everything} == {entry["name"] for entry in ready(triton_client)}


def ready(client: Client) -> list[dict[str, str]]:
    """The index of models that can be asked."""
    return [entry for entry in client.get_model_repository_index() if entry["state"] == "READY"]


async def ask_all(address: str) -> None:
    """Ask by the client for asyncio whatever it can ask."""
    async with aio.InferenceServerClient(address) as client:
        client.register_plugin(WithKey())
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready("grey.encoder", "1")
        assert "statistics" in (await client.get_server_metadata())["extensions"]
        assert (await client.get_model_metadata("grey.encoder", "1"))["versions"] == ["1"]
        assert (await client.get_model_config("grey.encoder"))["name"] == "grey.encoder"
        assert len(await client.get_model_repository_index()) == 12
        (before,) = (await client.get_inference_statistics("grey.encoder"))["model_stats"]
        for compression in (None, "gzip", "deflate"):
            for binary in (True, False):
                result = await client.infer(
                    "grey.encoder",
                    [given("image", IMAGES, binary)],
                    outputs=wanted("z", "weights", binary=binary),
                    request_compression_algorithm=compression,
                    response_compression_algorithm=compression,
                )
                np.testing.assert_allclose(result.as_numpy("z"), IMAGES.reshape(2, -1)[:, :81] + EPSILON, rtol=1e-6)
        (after,) = (await client.get_inference_statistics("grey.encoder"))["model_stats"]
        assert after["inference_count"] - before["inference_count"] == 12


def test_the_client_for_asyncio_works_too(triton_client: Client, address: str):
    asyncio.run(ask_all(address))


def test_requests_may_run_side_by_side(triton_client: Client):
    batches = [IMAGES * share for share in (0.25, 0.5, 0.75, 1)]
    pending = [triton_client.async_infer("grey.encoder", [given("image", images)]) for images in batches]
    for images, request in zip(batches, pending, strict=True):
        z = request.get_result(timeout=60).as_numpy("z")
        np.testing.assert_allclose(z, images.reshape(2, -1)[:, :81] + EPSILON, rtol=1e-6)


def test_what_is_wrong_is_the_exceptions_message(triton_client: Client):
    wrong = given("image", IMAGES[:, :, :5])
    with pytest.raises(InferenceServerException, match=r"inputs\[0\]\.shape: got \[2, 1, 5, 32\]; accepts") as caught:
        triton_client.infer("grey.encoder", [wrong])
    assert caught.value.status() == "422"
    with pytest.raises(InferenceServerException, match="there is nothing at /v2/logging") as caught:
        triton_client.get_log_settings()
    assert caught.value.status() == "404"
    with pytest.raises(InferenceServerException, match="no version '2' of grey; there is '1'"):
        triton_client.get_model_metadata("grey", "2")
    with pytest.raises(InferenceServerException, match="a body may have 1048576 bytes") as caught:
        triton_client.infer("grey.encoder", [given("image", np.zeros((257, 1, 32, 32), np.float32))])
    assert caught.value.status() == "413"


def states(client: Client) -> dict[str, Any]:
    return {entry["name"]: (entry["state"], entry.get("reason", "")) for entry in client.get_model_repository_index()}


def test_a_model_is_unloaded_and_loaded_again(triton_client: Client):
    parts = ("codes", "codes.encoder", "codes.decoder")
    triton_client.unload_model("codes")
    assert {states(triton_client)[part] for part in parts} == {("UNAVAILABLE", "unloaded")}
    assert not any(triton_client.is_model_ready(part) for part in parts)
    assert triton_client.is_server_ready()
    with pytest.raises(InferenceServerException, match=r"unloaded model 'codes\.encoder'; there is grey") as caught:
        triton_client.infer("codes.encoder", [given("image", IMAGES)])
    assert caught.value.status() == "404"
    triton_client.load_model("codes")
    assert {states(triton_client)[part] for part in parts} == {("READY", "")}
    assert triton_client.infer("codes.encoder", [given("image", IMAGES)]).as_numpy("z").shape == (2, 5)


def test_a_changed_bundle_is_served_once_it_is_loaded(triton_client: Client, repository: Path):
    before = read_bundle(repository / "colour").manifest.digest[:12]
    toy_bundle(repository / "colour", shape=(28, 44, 3))
    assert triton_client.is_model_ready("colour", before)
    triton_client.load_model("colour")
    assert not triton_client.is_model_ready("colour", before)
    assert triton_client.is_model_ready("colour", read_bundle(repository / "colour").manifest.digest[:12])
    after = triton_client.get_model_metadata("colour")
    assert after["outputs"][0]["shape"] == [-1, 28, 44, 3]


def test_a_bundle_that_is_refused_leaves_the_one_before(triton_client: Client, repository: Path):
    toy_bundle(repository / "grey", golden_error=0.01)
    with pytest.raises(
        InferenceServerException, match="grey can't be loaded: golden vectors are not reproduced"
    ) as bad:
        triton_client.load_model("grey")
    assert bad.value.status() == "409"
    assert str(repository) not in str(bad.value)
    assert triton_client.infer("grey.encoder", [given("image", IMAGES)]).as_numpy("z").shape == (2, 81)


def test_a_model_can_not_be_changed_on_its_way_in(triton_client: Client):
    with pytest.raises(InferenceServerException, match="parameters: Object contains unknown field `config`"):
        triton_client.load_model("grey", config="{}")
