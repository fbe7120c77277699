from __future__ import annotations

from pathlib import Path

import pytest

from export.bundle import MANIFEST, BundleError
from service import store
from service.errors import Problem
from service.runtime import ModelError
from service.settings import Settings
from service.store import Store
from tests.service.toys import toy_bundle


def settings(*models: Path | str) -> Settings:
    return Settings(_env_file=None, model=tuple(map(str, models)), device="cpu")


def test_the_first_model_is_the_default(bundles: Path):
    served = Store(settings(bundles / "codes", bundles / "grey"))
    served.load()
    assert served.engine().model.name == "codes"
    assert served.engine("grey").model.name == "grey"


def test_an_unknown_model_is_a_404_that_lists_what_there_is(bundles: Path):
    served = Store(settings(bundles / "grey"))
    served.load()
    with pytest.raises(Problem, match="there is grey") as caught:
        served.engine("gray")
    assert caught.value.status_code == 404


def test_models_are_not_ready_before_they_are_loaded(bundles: Path):
    with pytest.raises(Problem) as caught:
        Store(settings(bundles / "grey")).engine()
    assert caught.value.status_code == 503


def test_two_models_of_one_name_are_refused(bundles: Path, tmp_path: Path):
    with pytest.raises(ModelError, match="two models are named 'grey'"):
        Store(settings(bundles / "grey", toy_bundle(tmp_path / "grey")))


def test_a_name_finds_a_shipped_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "SHIPPED", tmp_path)
    toy_bundle(tmp_path / "dsprites")
    assert Store(settings("dsprites")).default == "dsprites"
    with pytest.raises(ModelError, match=r"no bundle 'mnist'.*shipped are: dsprites"):
        Store(settings("mnist"))


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path):
    with pytest.raises(BundleError, match=MANIFEST):
        Store(settings(tmp_path))
