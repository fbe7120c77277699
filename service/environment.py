"""Environment variables and ``.env``: what in them is no setting, and where a setting comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PREFIX = "SPRITEVAE_"
ENV_FILE = Path(".env")
# Kubernetes tells every pod of every Service by such variables: SPRITEVAE_PORT=tcp://10.0.0.1:8000 for one that is
# named spritevae. https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_SERVICE_LINK = re.compile(r"(tcp|udp|sctp)://(\[[0-9A-Fa-f:.]+\]|[^\s/:\[\]]+):\d+")
_LINE = re.compile(rf"\s*(?:export\s+)?['\"]?({PREFIX}\w+)['\"]?\s*(=?)", re.IGNORECASE)


def without_service_links(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """Environment variables without those by which Kubernetes tells of a Service."""
    return {name: value for name, value in variables.items() if not _SERVICE_LINK.fullmatch(value or "")}


def service_links(settings: Sequence[str]) -> list[str]:
    """The variables of these settings that Kubernetes has set, and which don't count."""
    return sorted(_variables(settings) - _variables(settings, without_service_links(os.environ)))


def source(setting: str, flags: Sequence[str]) -> str:
    """What gives a setting its value: its flag, its environment variable, or its line in ``.env``."""
    flag, variable = f"--{setting.replace('_', '-')}", f"{PREFIX}{setting.upper()}"
    if has_flag(setting, flags):
        return flag
    if _variables([setting], without_service_links(os.environ)):
        return variable
    lines = [number for number, name, _ in _env_file_lines() if name.upper() == variable]
    return f"{ENV_FILE}, line {lines[-1]}: {variable}" if lines else flag


def has_flag(setting: str, flags: Sequence[str]) -> bool:
    """Whether a setting is given as a flag."""
    return f"--{setting.replace('_', '-')}" in {flag.partition("=")[0] for flag in flags}


def env_file_settings() -> list[str]:
    """The names of the variables of this service that ``.env`` sets."""
    return sorted({name.upper() for _, name, _ in _env_file_lines()})


def check_env_file() -> None:
    """Raise ValueError if there is a ``.env`` that can't be read, or a line of it that should be a setting but isn't.

    What is in it for other programs doesn't matter.
    """
    if ENV_FILE.is_dir() and not (ENV_FILE / "pyvenv.cfg").exists():  # virtual environments may have that name
        raise ValueError(f"{ENV_FILE.resolve()}: is a folder; accepts a file of NAME=VALUE lines")
    for number, name, equals in _env_file_lines():
        if not equals:
            raise ValueError(f"{ENV_FILE.resolve()}, line {number}: accepts {name}=VALUE")


def _env_file_lines() -> Iterator[tuple[int, str, str]]:
    """The lines of ``.env`` that begin with the name of a setting: number, name, and the = behind it."""
    if not ENV_FILE.is_file():  # a pipe could be read only once
        return
    try:
        content = ENV_FILE.read_bytes()
    except OSError as error:
        raise ValueError(f"{ENV_FILE.resolve()}: can't be read ({error.strerror})") from None
    for number, line in enumerate(content.splitlines(), 1):
        try:
            text = line.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{ENV_FILE.resolve()}, line {number}: byte 0x{line[error.start]:02x} is no UTF-8; accepts UTF-8"
            ) from None
        if found := _LINE.match(text):
            yield number, found[1], found[2]


def _variables(settings: Sequence[str], environment: Mapping[str, str | None] = os.environ) -> set[str]:
    wanted = {f"{PREFIX}{setting.upper()}" for setting in settings}
    return {name for name in environment if name.upper() in wanted}
