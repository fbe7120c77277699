"""Print constraints that pin each dependency to the lowest version that pyproject.toml allows.

``make test-lowest`` runs it. Transitive dependencies stay free. Development tools keep their locked versions, so that
only the packages differ that users install.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = Path(__file__).with_name("constraints.txt")
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(\[[\w,-]+\])?>=(?P<lowest>[\w.]+)")


def main() -> None:
    """Print the constraints of the service, of onnxruntime, of training, and of the development tools."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    versions = locked_versions(LOCK.read_text(), lowest_versions(extras["dev"]))
    versions |= lowest_versions([*project["dependencies"], *extras["cpu"], *extras["training"]])
    print("\n".join(f"{name}=={version}" for name, version in sorted(versions.items())))


def lowest_versions(requirements: Iterable[str]) -> dict[str, str]:
    """The lowest version by name, for requirements such as ``uvicorn[standard]>=0.45,<0.55``.

    Raises ValueError for a requirement without a lower bound.
    """
    versions = {}
    for requirement in requirements:
        found = REQUIREMENT.match(requirement)
        if not found:
            raise ValueError(f"{requirement}: a requirement has a lower bound (>=)")
        versions[found["name"]] = found["lowest"]
    return versions


def locked_versions(lock: str, names: Iterable[str]) -> dict[str, str]:
    """The locked version of each of these names; raises KeyError for a name that the lock doesn't have."""
    locked = dict(line.split("==") for line in lock.splitlines() if "==" in line and not line.startswith("#"))
    return {name: locked[name] for name in names}


if __name__ == "__main__":
    main()
