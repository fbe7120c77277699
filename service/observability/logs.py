"""Logs: a JSON object per line with the request's id, or readable lines on a terminal."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict

from service.context import current_request
from service.types import LogFormat, LogLevel


def configure(level: LogLevel, form: LogFormat) -> None:
    """Send all logs to stderr from now on: those of this service, of uvicorn, and warnings."""
    readable = sys.stderr.isatty() if form == "auto" else form == "text"
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper("iso"),
                _add_request_id,
                _drop_colours,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(readable),
            ],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)


def _rendering(readable: bool) -> list[Any]:
    if readable:
        return [structlog.dev.ConsoleRenderer(colors=False)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _add_request_id(logger: Any, method: str, event: EventDict) -> EventDict:
    if (request := current_request.get(None)) is not None:
        event["request_id"] = request.id
    return event


def _drop_colours(logger: Any, method: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)  # uvicorn's second copy of its messages, coloured for terminals
    return event
