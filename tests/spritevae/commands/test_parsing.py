import re
import subprocess
import sys

import pytest

from spritevae.commands.parsing import command_parser, run
from tests.support import ROOT
from training.version import release

COMMANDS = ("train", "evaluate", "export", "plot", "runs", "reproduce", "serve")


def test_help_lists_every_command_and_imports_nothing_slow() -> None:
    code = (
        "import sys, atexit; from spritevae.__main__ import main; "
        "atexit.register(lambda: print('imported:', {'numpy', 'torch', 'PIL', 'onnxruntime'} & {*sys.modules})); "
        "main(['--help'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(re.search(rf"^ +{name}\b", done.stdout, re.MULTILINE) for name in COMMANDS)
    assert "imported: set()" in done.stdout


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as left:
        run(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"spritevae {release()}\n"


@pytest.mark.parametrize("name", COMMANDS[:-1])
def test_every_command_has_its_own_help(name: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as left:
        command_parser().parse_args([name, "--help"])
    assert left.value.code == 0
    assert f"usage: spritevae {name} " in capsys.readouterr().out


def test_arguments_that_do_not_go_together_show_the_usage_and_exit_with_2(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as left:
        run(["train", "softmax"])
    assert left.value.code == 2
    errors = capsys.readouterr().err
    assert errors.startswith("usage: spritevae ")
    assert "error: train needs a SYSTEM and --data; train --list shows the systems" in errors
