from __future__ import annotations

import pytest

from requirements.lowest import locked_versions, lowest_versions


def test_the_lower_bound_is_the_version_whatever_else_the_requirement_says() -> None:
    requirements = ["cachetools>=6", "uvicorn[standard]>=0.45,<0.55", "fastapi-offline>=1.7.7"]
    assert lowest_versions(requirements) == {"cachetools": "6", "uvicorn": "0.45", "fastapi-offline": "1.7.7"}


@pytest.mark.parametrize("requirement", ["numpy", "numpy<3", "numpy==2.4"])
def test_a_requirement_without_a_lower_bound_is_an_error(requirement: str) -> None:
    with pytest.raises(ValueError, match=requirement):
        lowest_versions([requirement])


def test_tools_have_the_versions_of_the_lock() -> None:
    assert locked_versions("# comment==1\nmypy==2.4.1\nruff==0.17.6\n", ["ruff"]) == {"ruff": "0.17.6"}


def test_a_tool_that_is_not_locked_is_an_error() -> None:
    with pytest.raises(KeyError, match="ruff"):
        locked_versions("mypy==2.4.1\n", ["ruff"])
