from __future__ import annotations

import pytest
from pydantic import ValidationError
from pydantic_settings import CliApp

from service.settings import Settings


def from_flags(*flags: str) -> Settings:
    return CliApp.run(Settings, cli_args=list(flags))


def test_every_setting_is_listed_in_help_with_default_and_environment_variable(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        from_flags("--help")
    shown = "".join(capsys.readouterr().out.split())
    for name, field in Settings.model_fields.items():
        if name == "api_keys":  # which is no flag, but a variable that the file's description names
            assert "SPRITEVAE_API_KEYS" in shown
            continue
        assert f"--{name.replace('_', '-')}" in shown
        assert f"SPRITEVAE_{name.upper()}" in shown
        assert f"(default:{field.default})".replace(" ", "") in shown
        assert field.description


def test_model_can_be_repeated_or_have_commas_between():
    assert from_flags("--model", "a", "--model", "b").model == ("a", "b")
    assert from_flags("--model", "a,b").model == ("a", "b")
    assert from_flags().model == ("dsprites",)


def test_what_is_off_is_enabled_by_a_flag_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPRITEVAE_API_KEYS", "sixteen-characters:admin")
    assert not from_flags().admin
    assert from_flags("--admin").admin
    monkeypatch.setenv("SPRITEVAE_ADMIN", "true")
    assert from_flags().admin
    assert not from_flags("--no-admin").admin


def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPRITEVAE_PORT", "9000")
    monkeypatch.setenv("SPRITEVAE_MODEL", "a, b")
    assert from_flags().port == 9000
    assert from_flags().model == ("a", "b")
    assert from_flags("--port", "9001").port == 9001


@pytest.mark.parametrize("flags", [("--port", "70000"), ("--threads", "0"), ("--device", "tpu"), ("--max-steps", "1")])
def test_impossible_values_are_refused(flags: tuple[str, str]):
    with pytest.raises(ValidationError):
        from_flags(*flags)


def test_settings_are_frozen():
    with pytest.raises(ValidationError):
        from_flags().port = 1
