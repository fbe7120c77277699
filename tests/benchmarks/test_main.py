"""The whole command, with servers that need nothing beside this project's environment."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.servers import ALL_FORMS, OURS, PLAIN, SERVERS
from tests.service.toys import toy_bundle
from tests.support import ROOT

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed (apt-get install wrk)")


@needs_wrk
def test_a_short_run_measures_each_server_in_each_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.measure.REQUESTS", 2_000)
    arguments = ["--seconds", "1", "--rounds", "1", "--connections", "4", "--workers", "1"]
    assert main([*arguments, "--servers", OURS, PLAIN, "bare", "--out", str(tmp_path / "results.json")]) == 0
    (measured,) = json.loads((tmp_path / "results.json").read_text())["models"]
    cases = {(each["server"], each["form"], each["connections"]) for each in measured["samples"]}
    assert cases == {(server, form, 4) for server in (OURS, PLAIN, "bare") for form in ("decode", "encode")}
    assert all(each["rate"] > 0 and each["processor"] > 0 for each in measured["samples"])
    assert {each["server"] for each in measured["footprints"]} == {OURS, PLAIN}
    assert all(each["resident"] > 2**20 for each in measured["footprints"])
    printed = capsys.readouterr().out
    assert f"{OURS} / best peer" in printed
    assert "onnxruntime 1." in printed


@needs_wrk
def test_another_checkout_is_measured_in_turns_with_this_one_in_every_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.measure.REQUESTS", 64)
    before = tmp_path / "before"
    before.mkdir()
    for package in ("attributes", "export", "service"):
        (before / package).symlink_to(ROOT / package)
    arguments = ["--seconds", "1", "--rounds", "1", "--connections", "2", "--workers", "1", "--servers", OURS]
    assert main([*arguments, "--against", str(before), "--out", str(tmp_path / "results.json")]) == 0
    (measured,) = json.loads((tmp_path / "results.json").read_text())["models"]
    other = f"{OURS}@before"
    cases = [(each["form"], each["server"]) for each in measured["samples"]]
    assert cases == [(form, server) for form in ALL_FORMS for server in (OURS, other)]
    assert {each["server"] for each in measured["footprints"]} == {OURS, other}
    assert capsys.readouterr().out.count(f"{OURS} / {other} ") == len(ALL_FORMS) + 1


@needs_wrk
def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--servers", OURS, "--against", str(tmp_path)]) == 2
    assert "no checkout of this project" in capsys.readouterr().err


@needs_wrk
def test_a_model_whose_latent_space_peers_do_not_know_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = toy_bundle(tmp_path / "toy")
    assert main(["--servers", OURS, "--model", str(bundle)]) == 2
    assert f"{bundle}: only bundles of dSprites" in capsys.readouterr().err


def test_without_wrk_the_error_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert main([]) == 2
    assert "wrk is missing" in capsys.readouterr().err


@needs_wrk
def test_a_server_that_responds_wrongly_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.measure.REQUESTS", 32)
    monkeypatch.setitem(SERVERS, "bare", replace(SERVERS["bare"], serves_model=True))
    assert main(["--servers", "bare"]) == 1
    assert "bare: decode: " in capsys.readouterr().err


@needs_wrk
def test_a_server_that_is_asked_for_must_be_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.servers.ENVIRONMENTS", Path("/nowhere"))
    assert main(["--servers", "fastapi-batched"]) == 2
    assert "not installed: fastapi-batched" in capsys.readouterr().err
