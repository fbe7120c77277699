"""docker or podman, whichever works here: what both take alike is all that is used."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Without the first, podman drops the HEALTHCHECK; without the second, an old docker knows no secrets.
ENVIRONMENT = os.environ | {"BUILDAH_FORMAT": "docker", "DOCKER_BUILDKIT": "1"}


class Failure(Exception):
    """What is wrong with the image, or with the machine that is to build it."""


class Engine:
    """docker where its daemon answers, else podman; raises Failure if there is neither."""

    def __init__(self) -> None:
        for self.name in ("docker", "podman"):
            if shutil.which(self.name) and self.succeeds("info"):
                return
        raise Failure("neither docker with a daemon nor podman: apt-get install podman runc debootstrap")

    def __call__(self, *arguments: str) -> str:
        return command(self.name, *arguments)

    def succeeds(self, *arguments: str) -> bool:
        """Whether it ends with 0; what it says is lost."""
        return subprocess.run([self.name, *arguments], capture_output=True, check=False).returncode == 0


def command(*arguments: str) -> str:
    """What a command prints; raises Failure with all that it said if it fails."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, env=ENVIRONMENT, cwd=ROOT)
    if done.returncode:
        raise Failure(f"{' '.join(arguments)}: ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()
