"""The version of this code."""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def release() -> str:
    """The installed version; ``uninstalled`` for a checkout that is not installed, from which training runs too."""
    try:
        return version("spritevae")
    except PackageNotFoundError:
        return "uninstalled"


def code_version() -> str:
    """The release, with the commit where this is a checkout."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return release()
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    try:
        described = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        # git is not installed.
        return release()
    return f"{release()}+{described.stdout.strip()}" if described.returncode == 0 else release()
