from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import CliApp

from service.settings import Settings, read_settings


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


def test_what_kubernetes_says_of_a_service_is_no_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "PORT": "tcp://10.0.0.1:8000",
        "PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "PORT_8000_TCP_ADDR": "10.0.0.1",
        "SERVICE_HOST": "10.0.0.1",
        "SERVICE_PORT": "8000",
        "SERVICE_PORT_HTTP": "8000",
    }.items():
        monkeypatch.setenv(f"SPRITEVAE_{name}", value)
    assert read_settings().port == 8000
    (tmp_path / ".env").write_text("SPRITEVAE_PORT=9000\n")
    assert read_settings().port == 9000
    assert read_settings(["--port", "9001"]).port == 9001
    monkeypatch.setenv("SPRITEVAE_PORT", "9002")
    assert read_settings().port == 9002


def test_an_error_names_the_place_of_the_wrong_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("FOREIGN=1\nSPRITEVAE_THREADS=none\n")
    with pytest.raises(ValueError, match=r"^\.env, line 2: SPRITEVAE_THREADS: .*, got 'none'$"):
        read_settings()
    monkeypatch.setenv("SPRITEVAE_THREADS", "80x")
    with pytest.raises(ValueError, match=r"^SPRITEVAE_THREADS: .*, got '80x'$"):
        read_settings()
    with pytest.raises(ValueError, match=r"^--threads: .*, got '0'$"):
        read_settings(["--threads", "0"])


def test_a_byte_order_mark_before_the_first_setting_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("SPRITEVAE_PORT=9000\n", encoding="utf-8-sig")
    assert read_settings().port == 9000


def test_there_is_one_place_to_listen(monkeypatch: pytest.MonkeyPatch):
    for flags in (["--uds", "s", "--fd", "3"], ["--uds", "s", "--port", "1"], ["--fd", "3", "--host=::"]):
        with pytest.raises(ValueError, match="exclude"):
            read_settings(flags)
    monkeypatch.setenv("SPRITEVAE_PORT", "8000")  # as in the container image
    assert read_settings(["--uds", "s"]).uds == Path("s")


def test_connections_are_kept_longer_than_by_most_load_balancers():
    assert from_flags().keep_alive_seconds > 60


def test_proxies_are_addresses_and_networks_with_commas_between():
    assert from_flags().forwarded_allow_ips == ()
    assert from_flags("--forwarded-allow-ips", "10.0.0.0/8, ::1").forwarded_allow_ips == ("10.0.0.0/8", "::1/128")
