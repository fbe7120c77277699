"""Print constraints that pin each dependency to the lowest version that pyproject.toml allows.

``make test-lowest`` runs it. Transitive dependencies stay free. Development tools keep their locked versions, so that
only what users install differs.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(\[[\w,-]+\])?>=(?P<lowest>[\w.]+)")


def main() -> None:
    """Print the constraints of the service, of onnxruntime and of training."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    print(lowest([*project["dependencies"], *extras["cpu"], *extras["training"]]), end="")


def lowest(requirements: list[str]) -> str:
    """One ``name==version`` a line, for requirements such as ``uvicorn[standard]>=0.45,<0.55``.

    Raises ValueError for a requirement without a lower bound.
    """
    lines = []
    for requirement in requirements:
        found = REQUIREMENT.match(requirement)
        if not found:
            raise ValueError(f"{requirement}: a requirement has a lower bound (>=)")
        lines.append(f"{found['name']}=={found['lowest']}\n")
    return "".join(sorted(lines))


if __name__ == "__main__":
    main()
