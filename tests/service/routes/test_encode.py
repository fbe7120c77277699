from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from service.web.response_schemas import EncodeAnswer
from tests.service.toy_systems import POS_X, SCALE, STYLE_SD
from tests.service.toys import image

PNG = {"Content-Type": "image/png"}


def picture(client: TestClient, model: str = "grey", **values: Any) -> bytes:
    return client.post(f"/decode?model={model}", json={"attributes": values}).content


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def items(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    EncodeAnswer.model_validate(response.json(), extra="forbid")
    return response.json()["items"]


def test_an_image_gives_the_values_it_was_made_of(client: TestClient):
    image = picture(client, shape="heart", scale=2.5, orientation=38.75, pos_x=7)
    (item,) = items(client.post("/encode", content=image, headers=PNG))
    said = item["attributes"]
    assert said["shape"] == {
        "value": "heart", "index": 2, "label": "heart", "confidence": pytest.approx(1, abs=1e-4), "z": item["z"][:3]
    }  # fmt: skip
    assert said["scale"]["value"] == pytest.approx(2.5, abs=0.01)
    assert said["scale"]["unit_value"] == pytest.approx(0.75, abs=0.01)
    assert said["scale"]["z"] == item["z"][3:9]
    assert said["orientation"]["value"] == pytest.approx(38.75, abs=0.01)
    assert said["orientation"]["index"] == 0
    assert said["pos_x"]["unit_value"] == pytest.approx(float(POS_X.in_unit(7)), abs=1e-4)
    assert item["converted"] == []


def test_an_image_that_the_model_can_not_give_back_is_unfamiliar(client: TestClient):
    """Of the toy's 1,024 pixels 81 come back, here white ones: its own images bear no others, these lose 943."""
    tone = int(255 * 0.1 * 1024 / 943)
    edge = [np.full((32, 32), level, np.uint8) for level in (tone - 1, tone + 2)]
    for pixels in edge:
        pixels.flat[:81] = 255
    shown = [picture(client, shape="heart"), *map(npy, edge)]
    for content, expected in zip(shown, (False, False, True), strict=True):
        headers = PNG if content.startswith(b"\x89PNG") else {"Content-Type": "application/x-npy"}
        (item,) = items(client.post("/encode", content=content, headers=headers))
        assert item["unfamiliar"] is expected


@pytest.mark.parametrize("content", ["black", "white", "grey", "one level", "noise", "near-black 16 bits"])
def test_a_blank_or_nearly_blank_image_is_unfamiliar_alone_and_among_others(client: TestClient, content: str):
    """Black comes back from the toy as it is."""
    draw = np.random.default_rng(0)
    pixels = {
        "black": np.zeros((32, 32), np.uint8),
        "white": np.full((32, 32), 255, np.uint8),
        "grey": np.full((32, 32), 20, np.uint8),
        "one level": np.arange(1024, dtype=np.uint8).reshape(32, 32) % 2,
        "noise": draw.integers(0, 3, (32, 32), np.uint8),
        "near-black 16 bits": draw.integers(0, 256, (32, 32), np.uint16),
    }[content]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    (item,) = items(client.post("/encode", content=file.getvalue(), headers=PNG))
    assert item["unfamiliar"] is True
    coded = [base64.b64encode(each).decode() for each in (picture(client, shape="heart"), file.getvalue())]
    assert [item["unfamiliar"] for item in items(client.post("/encode", json={"images": coded}))] == [False, True]


def test_a_model_without_a_threshold_does_not_say_what_is_unfamiliar(client: TestClient):
    (item,) = items(client.post("/encode?model=colour", content=picture(client, "colour"), headers=PNG))
    assert item["unfamiliar"] is None


def test_a_continuous_attribute_has_value_and_sd_in_its_unit(client: TestClient):
    pixels = np.zeros((32, 32), np.float32)
    pixels.flat[81] = 0.75
    headers = {"Content-Type": "application/x-npy"}
    (item,) = items(client.post("/encode?model=codes", content=npy(pixels), headers=headers))
    style = item["attributes"]["style"]
    assert style["value"] == pytest.approx(1.5, abs=1e-5)
    assert style["sd"] == pytest.approx(STYLE_SD)
    assert style["z"] == item["z"][4:]


def test_free_latents_are_read_up_to_their_limits_and_z_is_not_clipped(client: TestClient):
    """Pixels 2 and 3 at 1 and .8 are styles 5 and 3; ranges end at 2, limits at 4. Pixel 6 is a quarter of logvar."""
    pictures = [image({2: 1, 3: 0.8}), image({2: 0.55, 6: 0.5})]
    first, second = items(client.post("/encode?model=group", json={"images": pictures}))
    assert first["attributes"]["style0"]["value"] == 4
    assert first["attributes"]["style1"]["value"] == pytest.approx(3, abs=1e-5)
    assert first["attributes"]["style0"]["z"] == [5]
    assert first["attributes"]["style0"]["sd"] == 1
    assert second["attributes"]["style0"]["value"] == pytest.approx(0.5, abs=1e-5)
    assert second["attributes"]["style0"]["sd"] == pytest.approx(np.e)


@pytest.mark.parametrize("model", ["grey", "colour", "alpha", "codes", "group", "conditional"])
def test_what_encode_gives_is_accepted_by_decode(client: TestClient, model: str):
    image = np.random.default_rng(0).random((3, 28, 40, 3)).astype(np.float32)
    headers = {"Content-Type": "application/x-npy"}
    for item in items(client.post(f"/encode?model={model}&detail=weights", content=npy(image), headers=headers)):
        assert client.post(f"/decode?model={model}", json={"attributes": item["attributes"]}).status_code == 200
        assert client.post(f"/decode?model={model}", json={"z": item["z"]}).status_code == 200


def test_z_is_exact(client: TestClient):
    z = (np.arange(81) * 3 / 255).astype(np.float32)
    image = client.post("/decode", json={"z": z.tolist()}).content
    (item,) = items(client.post("/encode", content=image, headers=PNG))
    np.testing.assert_allclose(item["z"], z, atol=2e-6)


def test_detail_weights_adds_class_probabilities(client: TestClient):
    image = picture(client, shape=[1, 1, 2])
    (item,) = items(client.post("/encode?detail=weights", content=image, headers=PNG))
    np.testing.assert_allclose(item["attributes"]["shape"]["weights"], [0.25, 0.25, 0.5], atol=1 / 255)
    assert len(item["attributes"]["scale"]["weights"]) == SCALE.size
    (item,) = items(client.post("/encode", content=image, headers=PNG))
    assert "weights" not in item["attributes"]["shape"]


def test_detail_posterior_adds_mean_and_logvar_where_they_exist(client: TestClient):
    image = picture(client)
    (item,) = items(client.post("/encode?model=codes&detail=posterior", content=image, headers=PNG))
    assert item["mean"] == item["z"]
    assert len(item["logvar"]) == len(item["z"])
    (item,) = items(client.post("/encode?detail=posterior", content=image, headers=PNG))
    assert item["mean"] is None
    assert client.post("/encode?detail=all", content=image, headers=PNG).status_code == 422


def test_every_way_to_send_images_reads_the_same(client: TestClient):
    first, second = picture(client, shape="heart"), picture(client, scale=1)
    expected = [items(client.post("/encode", content=image, headers=PNG))[0] for image in (first, second)]
    coded = [base64.b64encode(image).decode() for image in (first, second)]
    assert items(client.post("/encode", json={"images": coded})) == expected

    files = [("a", ("a.png", first, "image/png")), ("b", ("b.bin", second, "application/octet-stream"))]
    assert items(client.post("/encode", files=files)) == expected

    pixels = np.stack([np.asarray(Image.open(io.BytesIO(image))) for image in (first, second)])
    headers = {"Content-Type": "application/x-npy"}
    for array in (pixels, pixels[..., None], pixels / 255.0):
        found = items(client.post("/encode", content=npy(array), headers=headers))
        assert [item["attributes"]["shape"]["value"] for item in found] == ["heart", "square"]
        np.testing.assert_allclose([item["z"] for item in found], [item["z"] for item in expected], atol=1e-6)

    both = {"attributes": [{"shape": "heart"}, {"scale": 1}]}
    for media in ("image/apng", "image/gif", "image/webp"):
        animation = client.post("/decode", json=both, headers={"Accept": media}).content
        found = items(client.post("/encode", content=animation, headers={"Content-Type": media}))
        assert [item["attributes"] for item in found] == [item["attributes"] for item in expected]


def test_floats_are_not_rounded_to_8_bits(client: TestClient):
    pixels = np.full((32, 32), 0.1234567, np.float32)
    headers = {"Content-Type": "application/x-npy"}
    (item,) = items(client.post("/encode", content=npy(pixels), headers=headers))
    np.testing.assert_allclose(item["z"], 0.1234567 + 1e-6, atol=1e-7)


def test_only_json_comes_out(client: TestClient):
    response = client.post("/encode", content=picture(client), headers={**PNG, "Accept": "image/png"})
    assert response.status_code == 406
    assert response.json()["offered"] == ["application/json"]
