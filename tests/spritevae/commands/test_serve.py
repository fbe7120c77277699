import subprocess
import sys

from tests.support import ROOT

# Stops the import of the first slow library, and shows which handlers SIGTERM and SIGINT have then.
FIRST_SLOW_IMPORT = """
import signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name in ("numpy", "onnxruntime", "pydantic", "fastapi", "uvicorn"):
            default = (signal.SIG_DFL, signal.default_int_handler)
            print(all(signal.getsignal(each) not in default for each in (signal.SIGTERM, signal.SIGINT)), flush=True)
            sys.exit()
sys.meta_path.insert(0, Finder())
from spritevae.__main__ import main
main(["serve"])
"""


def test_signals_are_handled_before_anything_slow_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_SLOW_IMPORT], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr


def test_help_lists_the_settings_of_the_service() -> None:
    command = [sys.executable, "-m", "spritevae", "serve", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--port" in done.stdout
