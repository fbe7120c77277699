"""Types that several layers name."""

from __future__ import annotations

from typing import Literal

Device = Literal["auto", "cpu", "cuda", "tensorrt"]
LogFormat = Literal["auto", "json", "text"]
LogLevel = Literal["debug", "info", "warning", "error"]
