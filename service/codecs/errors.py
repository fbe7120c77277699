"""What is wrong with an image file. It is known in processes that decode files, which import nothing of HTTP."""

from __future__ import annotations

from typing import Any


class ImageError(Exception):
    """A file that is refused: the status and detail of the answer, and further ``members`` of its problem document."""

    def __init__(self, status: int, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.members = members
