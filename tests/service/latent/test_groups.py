"""/encode?group=true and /recombine: a multi-level toy that says in pixels how unsure it is, and a conditional one."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from service.web.response_schemas import EncodeAnswer
from tests.service.toy_systems import EFFECT, FREE, ROWS, TAU
from tests.service.toys import image, pixels_of

NPY = {"Accept": "application/x-npy"}


def written(mean: list[float], logvar: float = 0.0) -> str:
    """An image of which the group toy reads this mean [4], and this log-variance 0..4 of its class."""
    return image({i: (m + 5) / 10 for i, m in enumerate(mean)} | {4: logvar / 4, 5: logvar / 4})


def group_of(client: TestClient, images: list[str], detail: str = "posterior") -> dict[str, Any]:
    answer = client.post(f"/encode?model=group&group=true&detail={detail}", json={"images": images})
    assert answer.status_code == 200, answer.text
    EncodeAnswer.model_validate(answer.json(), extra="forbid")
    (item,) = answer.json()["items"]
    return item


class TestGroup:
    def test_two_images_weigh_by_their_precision(self, client: TestClient) -> None:
        """Of two Gaussians: M = (m1 v2 + m2 v1) / (v1 + v2), V = v1 v2 / (v1 + v2)."""
        item = group_of(client, [written([4, 1, 0, 0]), written([1, 3, 2, 2], logvar=np.log(3))])
        assert item["mean"] == pytest.approx([(4 * 3 + 1) / 4, (1 * 3 + 3) / 4], abs=1e-5)
        assert item["logvar"] == pytest.approx(np.log([3 / 4] * 2), abs=1e-5)

    def test_they_are_one_item_of_the_groups_attribute_alone(self, client: TestClient) -> None:
        item = group_of(client, [written([4, 1, 0, 0]), written([1, 3, 2, 2], logvar=np.log(3))], "weights")
        evidence = np.array([13 / 4, 6 / 4])
        likely = np.exp(-((evidence - ROWS) ** 2).sum(axis=1) / (2 * TAU**2))
        said = item["attributes"].pop("digit")
        assert item["attributes"] == {}
        assert (said["value"], said["index"]) == ("one", 1)
        assert said["confidence"] == pytest.approx(likely[1] / likely.sum(), abs=1e-4)
        assert said["weights"] == pytest.approx((likely / likely.sum()).tolist(), abs=1e-5)
        assert said["z"] == item["z"][:2]
        assert said["z"] == pytest.approx(evidence, abs=1e-5)
        assert item["z"][2:] == [free.default for free in FREE]

    def test_an_image_alone_is_its_own_mean(self, client: TestClient) -> None:
        picture = written([3, 2, 1, -1], logvar=1)
        alone = client.post("/encode?model=group&detail=posterior", json={"images": [picture]}).json()["items"][0]
        together = group_of(client, [picture])
        assert together["mean"] == pytest.approx(alone["mean"][:2])
        assert together["logvar"] == pytest.approx(alone["logvar"][:2])
        for key in ("value", "index", "confidence"):
            assert together["attributes"]["digit"][key] == alone["attributes"]["digit"][key]

    def test_what_comes_back_can_be_decoded(self, client: TestClient) -> None:
        item = group_of(client, [written([4, 0, 2, 2])])
        by_z = pixels_of(client.post("/decode?model=group", json={"z": item["z"]}, headers=NPY))
        values = {"attributes": item["attributes"]}
        by_values = pixels_of(client.post("/decode?model=group", json=values, headers=NPY))
        assert by_z[0, :4] == pytest.approx([0.9, 0.5, 0.55, 0.55], abs=1 / 255)
        np.testing.assert_allclose(by_values, by_z, atol=1 / 255)

    def test_what_was_converted_is_said_once(self, client: TestClient) -> None:
        files = [("f", ("a.png", client.get("/decode?model=colour").content, "image/png"))] * 2
        (item,) = client.post("/encode?model=group&group=true", files=files).json()["items"]
        assert item["converted"] == ["resized 40x28 to 32x32", "RGB to grey"]

    @pytest.mark.parametrize("model", ["grey", "codes", "conditional"])
    def test_a_model_without_groups_says_so(self, client: TestClient, model: str) -> None:
        answer = client.post(f"/encode?model={model}&group=true", json={"images": [image({})]})
        assert answer.status_code == 422
        assert "query.group: this model knows no groups" in answer.json()["detail"]


class TestRecombine:
    def test_takes_the_evidence_of_a_group_and_the_style_of_another_image(self, client: TestClient) -> None:
        classes = [written([4, 1, 0, 0]), written([1, 3, 2, 2], logvar=np.log(3))]
        body = {"class": {"images": classes}, "style": {"image": written([0, 4, -1, 3])}}
        drawn = pixels_of(client.post("/recombine?model=group", json=body, headers=NPY))
        assert drawn[0, :4] == pytest.approx([(13 / 4 + 5) / 10, (6 / 4 + 5) / 10, 0.4, 0.8], abs=1 / 255)

    def test_takes_the_mean_of_one_image(self, client: TestClient) -> None:
        body = {"class": {"image": written([3, 2, 0, 0], logvar=2)}, "style": {"image": written([0, 4, -1, 3])}}
        drawn = pixels_of(client.post("/recombine?model=group", json=body, headers=NPY))
        assert drawn[0, :4] == pytest.approx([0.8, 0.7, 0.4, 0.8], abs=1 / 255)

    def test_takes_the_conditions_inferred_from_images(self, client: TestClient) -> None:
        """A square and a heart, both of scale 5: half of each, and the style that was read of a square of scale 0."""
        classes = [image({0: 1, 3 + 5: 1, 9: 0.9}), image({2: 1, 3 + 5: 1, 9: 0.1})]
        body = {"class": {"images": classes}, "style": {"image": image({0: 1, 3: 1, 9: 0.6})}}
        drawn = pixels_of(client.post("/recombine?model=conditional", json=body, headers=NPY))
        assert drawn[0, :9] == pytest.approx([0.5, 0, 0.5, 0, 0, 0, 0, 0, 1], abs=1 / 255)
        style = 10 * 0.6 - 5 + EFFECT[0] + EFFECT[3]
        drawn_style = style - (EFFECT[0] + EFFECT[2]) / 2 - EFFECT[3 + 5]
        assert drawn[0, 9] == pytest.approx((drawn_style + 5) / 10, abs=1 / 255)

    def test_several_images_in_one_file_are_one_group(self, client: TestClient) -> None:
        values = {"attributes": [{"digit": "zero"}, {"digit": "one"}]}
        listed = client.post("/decode?model=group", json=values, headers={"Accept": "application/json"}).json()["items"]
        file = client.post("/decode?model=group", json=values, headers=NPY).content
        style = {"image": written([0, 4, -1, 3])}
        one_by_one = {"class": {"images": [item["image"] for item in listed]}, "style": style}
        together = {"class": {"images": [base64.b64encode(file).decode()]}, "style": style}
        drawn, again = (
            pixels_of(client.post("/recombine?model=group", json=body, headers=NPY)) for body in (one_by_one, together)
        )
        np.testing.assert_array_equal(drawn, again)
        assert drawn[0, :4] == pytest.approx([0.7, 0.5, 0.4, 0.8], abs=1 / 255)

    @pytest.mark.parametrize("model", ["grey", "codes"])
    def test_a_model_without_class_and_style_says_what_is_needed(self, client: TestClient, model: str) -> None:
        answer = client.post(
            f"/recombine?model={model}", json={"class": {"image": image({})}, "style": {"image": image({})}}
        )
        assert answer.status_code == 422
        assert "needs a model that was trained with groups" in answer.json()["detail"]
        assert answer.json()["accepted"]
