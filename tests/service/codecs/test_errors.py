from __future__ import annotations

import subprocess
import sys

from service.codecs.errors import ImageError
from tests.support import ROOT


def test_it_says_what_an_answer_needs():
    error = ImageError(413, "the body: large", where="the body", limit=3)
    assert (error.status, error.detail, error.members) == (413, "the body: large", {"where": "the body", "limit": 3})
    assert str(error) == "the body: large"


def test_what_decodes_files_imports_nothing_of_http_or_of_models():
    """A process that decodes files holds little beside numpy and Pillow, and is there soon."""
    script = "import sys, service.codecs.decode; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in done.stdout.split()}
    assert {"numpy", "PIL"} <= imported
    assert not imported & {"pydantic", "fastapi", "starlette", "anyio", "onnxruntime", "torch", "attributes", "export"}
