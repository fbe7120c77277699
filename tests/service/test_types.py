from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from service.settings import Settings
from service.types import Device, LogFormat, LogLevel

CHOICES = [("device", Device), ("log_format", LogFormat), ("log_level", LogLevel)]


@pytest.mark.parametrize(("setting", "choices"), CHOICES, ids=[name for name, _ in CHOICES])
def test_settings_accept_each_choice_and_no_other(setting: str, choices: Any):
    for choice in get_args(choices):
        assert getattr(Settings(_env_file=None, **{setting: choice}), setting) == choice
    with pytest.raises(ValidationError, match=get_args(choices)[0]):
        Settings(_env_file=None, **{setting: "another"})
