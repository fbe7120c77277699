"""A client that ``openapi-python-client`` makes of the service's document, against the service."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests.service.processes import Running, running
from tests.support import ROOT

# The generator knows JSON and unnamed bytes; this tells it that PNG is bytes. It adds no formatting by other programs.
CONFIG = "content_type_overrides:\n  image/png: application/octet-stream\npost_hooks: []\n"
PACKAGE = "generated_sprites"


@pytest.fixture(scope="module")
def service() -> Iterator[Running]:
    with running(ROOT / "service" / "bundles" / "dsprites", "--device", "cpu") as service:
        yield service


@pytest.fixture(scope="module")
def said(service: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What the generator says; its package can be imported then."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "config.yaml").write_text(CONFIG)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--url", f"{service.url}/openapi.json"]
    flags = ["--meta", "none", "--output-path", str(folder / PACKAGE), "--config", str(folder / "config.yaml")]
    done = subprocess.run([*command, *flags], capture_output=True, text=True, check=True, timeout=120)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield done.stdout


@pytest.fixture
def client(said: str, service: Running) -> Iterator[Any]:
    with import_module(f"{PACKAGE}.client").Client(base_url=service.url) as client:
        yield client


def operation(tag: str, name: str) -> Any:
    """The module of an operation."""
    return import_module(f"{PACKAGE}.api.{tag}.{name}")


def model(name: str) -> Any:
    """A class that the generator made of a schema."""
    return getattr(import_module(f"{PACKAGE}.models"), name)


def picture(answer: Any) -> Image.Image:
    """The image in an answer that is a file."""
    image = Image.open(BytesIO(answer.payload.read()))
    image.load()
    return image


def test_the_generator_leaves_out_only_media_types_that_it_does_not_know(said: str):
    assert {line for line in said.splitlines() if line.startswith(("WARNING", "ERROR", "Cannot"))} <= {
        "WARNING parsing POST /encode within images."
    }
    unknown = [line for line in said.splitlines() if line.startswith("Unsupported content type")]
    assert len(unknown) == said.count("WARNING")


def test_an_image_is_decoded_by_post(client: Any):
    body = model("DecodeBody").from_dict({"attributes": {"shape": "heart", "scale": 5}})
    image = picture(operation("images", "decode").sync(client=client, body=body))
    assert (image.format, image.size) == ("PNG", (64, 64))


def test_an_image_is_decoded_by_get_and_read_again(client: Any):
    values = model("DecodeOneAttributes").from_dict({"shape": "ellipse", "scale": "5"})
    drawn = operation("images", "decode_one").sync(client=client, attributes=values)
    assert picture(drawn).format == "PNG"
    file = drawn.payload.getvalue()
    bodies = (
        import_module(f"{PACKAGE}.types").File(payload=BytesIO(file)),
        model("EncodeBody")(images=[base64.b64encode(file).decode()]),
    )
    for body in bodies:
        (item,) = operation("images", "encode").sync(client=client, body=body).items
        assert item.attributes["shape"].value == "ellipse"
        assert item.attributes["shape"].confidence > 0.5
        assert len(item.z) == client_model(client).latent_length


def client_model(client: Any) -> Any:
    """The default model."""
    return operation("models", "get_model").sync("dsprites", client=client)


def test_a_sheet_and_an_animation_come_as_bytes(client: Any):
    body = model("DecodeBody").from_dict({"attributes": [{}, {}, {}]})
    assert picture(operation("images", "decode").sync(client=client, body=body, columns=3)).size == (192, 64)
    walk = model("InterpolateBody").from_dict({"from": {"scale": 0}, "to": {"scale": 5}, "steps": 4})
    assert picture(operation("images", "interpolate").sync(client=client, body=walk)).n_frames == 4


def test_an_error_comes_as_a_problem(client: Any):
    body = model("DecodeBody").from_dict({"attributes": {"shape": "cube"}})
    problem = operation("images", "decode").sync(client=client, body=body)
    assert isinstance(problem, model("ProblemDetails"))
    assert (problem.status, problem.title) == (422, "Unprocessable Entity")
    assert "cube" in problem.detail


def test_the_protocol_is_generated_too(client: Any):
    assert operation("open_inference_protocol", "v2_model_config").sync("dsprites", client=client).max_batch_size == 256
    z = client_model(client).latent_length
    tensor = model("Tensor")(name="z", datatype="FP32", shape=[1, z], data=[0.0] * z)
    answer = operation("open_inference_protocol", "v2_infer").sync(
        "dsprites.decoder", client=client, body=model("InferenceRequest")(inputs=[tensor])
    )
    assert (answer.model_version, answer.outputs[0].shape) == ("1", [1, 1, 64, 64])
    (found,) = (
        operation("open_inference_protocol", "v2_model_statistics").sync("dsprites.decoder", client=client).model_stats
    )
    assert found.inference_count == 1
