from __future__ import annotations

import json
import logging

import pytest

from service.context import RequestContext, current_request
from service.observability import logs
from service.settings import LogFormat


async def _receive() -> dict[str, str]:
    raise AssertionError


def test_a_line_is_a_json_object_with_the_request_it_belongs_to(capsys: pytest.CaptureFixture[str]):
    logs.configure("info", "json")
    token = current_request.set(RequestContext("abc", _receive))
    try:
        logging.getLogger("spritevae.access").info("request", extra={"status": 200, "path": "/decode"})
        logging.getLogger("uvicorn.error").warning("with %s", "arguments", extra={"color_message": "\x1b[36mwith"})
        logging.getLogger("x").debug("never")
    finally:
        current_request.reset(token)
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first["request_id"] == "abc"
    assert (first["event"], first["status"], first["path"], first["level"]) == ("request", 200, "/decode", "info")
    assert (second["event"], second["logger"]) == ("with arguments", "uvicorn.error")
    assert "color_message" not in second
    assert first["timestamp"].endswith("Z")


def test_an_exception_is_in_its_line(capsys: pytest.CaptureFixture[str]):
    logs.configure("info", "json")
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("x").exception("oh")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: broken" in json.loads(line)["exception"]


@pytest.mark.parametrize("form", ["text", "auto"])
def test_text_is_for_people_and_auto_is_json_where_nobody_reads(form: LogFormat, capsys: pytest.CaptureFixture[str]):
    logs.configure("info", form)
    logging.getLogger("x").info("hello")
    line = capsys.readouterr().err
    assert "hello" in line
    assert line.startswith("{") == (form == "auto")
