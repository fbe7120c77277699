"""The CPU image by its Dockerfile, with this machine's package index, on the base that can be had here."""

from __future__ import annotations

import ast
import re
import shutil
import ssl
import subprocess
import sys
import tempfile

from tests.image.engine import ROOT, Engine, Failure, command

STAND_IN = "localhost/spritevae-base:bookworm"
STAND_IN_PACKAGES = "python3,python3-venv,ca-certificates"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
INDEX_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout")


def base_image(engine: Engine) -> str:
    """The Dockerfile's base; where no registry gives it, a stand-in made of Debian's packages, which is said."""
    found = re.search(r"^ARG BASE=(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert found
    base = found.group(1)
    if engine.succeeds("image", "inspect", base) or engine.succeeds("pull", base):
        return base
    print(f"{base} can't be had here: a stand-in made by debootstrap takes its place", flush=True)
    if not engine.succeeds("image", "inspect", STAND_IN):
        _make_stand_in(engine)
    return STAND_IN


def _make_stand_in(engine: Engine) -> None:
    """Debian with Python; takes a minute or two, once."""
    if not shutil.which("debootstrap"):
        raise Failure("no debootstrap to make a base image: apt-get install debootstrap")
    leave_out = ("--exclude=./var/cache/apt/*", "--exclude=./var/lib/apt/lists/*")
    with tempfile.TemporaryDirectory() as folder:
        root, archive = f"{folder}/root", f"{folder}/root.tar"
        command("debootstrap", "--variant=minbase", f"--include={STAND_IN_PACKAGES}", "bookworm", root)
        command("tar", "-C", root, *leave_out, "-cf", archive, ".")
        engine("import", archive, STAND_IN)


def build(engine: Engine, base: str, image: str) -> None:
    """The image on that base; raises Failure with the build's output."""
    configuration, certificates = _pip_configuration()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(configuration)
        file.flush()
        secrets = (f"--secret=id=pip,src={file.name}", f"--secret=id=certificates,src={certificates}")
        engine("build", f"--build-arg=BASE={base}", *secrets, f"--tag={image}", ".")


def _pip_configuration() -> tuple[str, str]:
    """A pip.conf that reaches the index of this machine's pip, and the file of the certificates that it trusts.

    Folders of packages are left out: the build doesn't see them.
    """
    listing = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(listing, capture_output=True, text=True, check=False).stdout
    settings = {}
    for line in reversed(listed.splitlines()):  # the environment, which wins, is listed first
        key, _, value = line.partition("=")
        settings[key.rpartition(".")[2]] = ast.literal_eval(value)
    lines = ["[global]", f"cert = {CERTIFICATES}"]
    for name in INDEX_SETTINGS:
        values = [value for value in settings.get(name, "").split() if not value.startswith("file:")]
        lines += [f"{name} = {' '.join(values)}"] if values else []
    certificates = settings.get("cert") or ssl.get_default_verify_paths().cafile or CERTIFICATES
    return "\n".join(lines), certificates
