from __future__ import annotations

import json
import tomllib

import pytest

from tests.dockerfile import Instruction, instructions, stages
from tests.support import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
BEFORE, BUILD, FINAL = stages(DOCKERFILE)


def only(name: str, stage: list[Instruction] = FINAL) -> Instruction:
    """The one instruction of that name."""
    (found,) = (each for each in stage if each.name == name)
    return found


def test_continued_lines_are_one_instruction_and_comments_none() -> None:
    text = "# a comment\nARG A=1\nFROM x AS y\nRUN a \\\n    # inside\n && b\n\nUSER 1\n"
    assert instructions(text) == [("ARG", "A=1"), ("FROM", "x AS y"), ("RUN", "a && b"), ("USER", "1")]


def test_the_shell_form_is_no_command() -> None:
    assert Instruction("CMD", '["a", "b"]').command == ["a", "b"]
    with pytest.raises(ValueError, match="Expecting value"):
        _ = Instruction("CMD", "a b").command


def test_the_service_runs_as_a_user_without_a_name() -> None:
    user, group = only("USER").arguments.split(":")
    assert int(user) >= 10_000  # no user of the host
    assert int(group) >= 10_000
    after = FINAL[FINAL.index(only("USER")) :]
    assert not {each.name for each in after} & {"RUN", "COPY", "ADD"}


def test_the_health_check_asks_the_port_that_the_service_listens_on() -> None:
    options, _, command = only("HEALTHCHECK").arguments.partition("CMD ")
    assert {option.partition("=")[0] for option in options.split()} >= {"--interval", "--timeout", "--retries"}
    program, flag, code = json.loads(command)
    assert (program, flag) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    assert "SPRITEVAE_PORT" in code
    assert f"SPRITEVAE_PORT={only('EXPOSE').arguments}" in only("ENV").arguments.split()


def test_the_service_gets_signals_itself() -> None:
    assert only("ENTRYPOINT").command == ["spritevae"]  # the shell form would run it as a child of sh
    assert only("CMD").command == ["serve"]
    assert only("STOPSIGNAL").arguments == "SIGTERM"


def test_packages_have_the_locked_versions_and_pip_does_not_stay() -> None:
    run = only("RUN", BUILD).arguments
    assert "--constraint requirements/constraints.txt" in run
    assert "uninstall --yes pip" in run
    assert [each.name for each in FINAL if each.name in ("RUN", "ADD")] == []


def test_the_build_sees_the_lock_and_every_package_of_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {"pyproject.toml", "README.md", "LICENSE", "requirements/constraints.txt"}
    needed |= {*project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    passed = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"}
    assert passed == needed
