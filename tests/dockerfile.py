"""A parser for Dockerfiles: https://docs.docker.com/reference/dockerfile/"""

from __future__ import annotations

import json
import re
from typing import NamedTuple


class Instruction(NamedTuple):
    """An instruction: its name in capitals, and its arguments as one line."""

    name: str
    arguments: str

    @property
    def command(self) -> list[str]:
        """The arguments in exec form: ``["program", "argument"]``; raises ValueError for the shell form."""
        command = json.loads(self.arguments)
        if not (isinstance(command, list) and all(isinstance(each, str) for each in command)):
            raise ValueError(f"{self.name}: not in exec form: {self.arguments}")
        return command


def stages(dockerfile: str) -> list[list[Instruction]]:
    """The instructions of each build stage, FROM first; those before the first FROM are a list of their own."""
    found: list[list[Instruction]] = [[]]
    for each in instructions(dockerfile):
        if each.name == "FROM":
            found.append([])
        found[-1].append(each)
    return found


def instructions(dockerfile: str) -> list[Instruction]:
    """All instructions. Comments are left out, and lines that end with a backslash are joined with the next one."""
    lines = [line for line in dockerfile.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\s*\n", " ", "\n".join(lines))
    split = (line.strip().partition(" ") for line in joined.splitlines())
    return [Instruction(name.upper(), " ".join(arguments.split())) for name, _, arguments in split]
