"""Write constraints.txt: the exact version of every package that any environment of this project installs.

``make lock`` runs it. pip finds the versions without installing anything, in a minute, for all extras together. pip's
configuration files are not read, so that local wheels don't get in; PIP_INDEX_URL names another index.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = Path(__file__).with_name("constraints.txt")
EXTRAS = "cpu,gpu,telemetry,training,dev"
LOCAL_SETTINGS = ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT")
HEADER = """\
# Exact versions of all packages, for: pip install --constraint requirements/constraints.txt ".[cpu]"
# Written by `make lock`; not edited by hand. Constraints of packages that are not installed do no harm.
"""


def main() -> None:
    """Resolve and write; raises SystemExit on a Python that is not the lowest one that pyproject.toml allows."""
    lowest = lowest_python((ROOT / "pyproject.toml").read_text())
    if sys.version_info[:2] != lowest:
        # A newer Python gets versions that the lowest one can't install.
        sys.exit(f"make lock needs Python {lowest[0]}.{lowest[1]}: make lock PYTHON=python{lowest[0]}.{lowest[1]}")
    CONSTRAINTS.write_text(constraints(resolve(EXTRAS)))
    print(
        f"{CONSTRAINTS.relative_to(ROOT)}: {len(CONSTRAINTS.read_text().splitlines()) - HEADER.count(chr(10))} packages"
    )


def lowest_python(pyproject: str) -> tuple[int, int]:
    """The lowest Python that a pyproject.toml allows."""
    major, minor = re.findall(r"\d+", tomllib.loads(pyproject)["project"]["requires-python"])[:2]
    return int(major), int(minor)


def resolve(extras: str) -> dict[str, Any]:
    """pip's installation report (https://pip.pypa.io/en/stable/reference/installation-report/)."""
    environment = {name: value for name, value in os.environ.items() if name not in LOCAL_SETTINGS}
    environment["PIP_CONFIG_FILE"] = os.devnull
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = [f"{folder}/bin/python", "-m", "pip"]
        # Pips before 23.3 download whole wheels to learn their versions.
        subprocess.run([*pip, "install", "--quiet", "--upgrade", "pip"], env=environment, check=True)
        report = f"{folder}/report.json"
        options = ["--quiet", "--dry-run", "--ignore-installed", "--report", report]
        subprocess.run([*pip, "install", *options, "pip", f"{ROOT}[{extras}]"], env=environment, check=True)
        found: dict[str, Any] = json.loads(Path(report).read_text())
        return found


def constraints(report: dict[str, Any]) -> str:
    """The text of constraints.txt: one ``name==version`` a line, without the project itself and local versions."""
    versions = {
        re.sub(r"[-_.]+", "-", each["metadata"]["name"]).lower(): each["metadata"]["version"].partition("+")[0]
        for each in report["install"]
        if "dir_info" not in each["download_info"]
    }
    return HEADER + "".join(f"{name}=={version}\n" for name, version in sorted(versions.items()))


if __name__ == "__main__":
    main()
