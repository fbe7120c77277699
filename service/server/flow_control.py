"""When reading from a client is paused: while the application has much of a body, and while requests wait."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.flow_control import FlowControl


class RequestFlowControl(FlowControl):
    """uvicorn's flow control, which alone would read on whenever an application receives or a response is complete."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self.held = False
        """Whether requests wait."""
        self._body_waits = False

    def pause_reading(self) -> None:
        """Much of a body waits for the application."""
        self._body_waits = True
        super().pause_reading()

    def resume_reading(self) -> None:
        """The application takes the body."""
        self._body_waits = False
        if not self.held:
            super().resume_reading()

    def hold(self) -> None:
        """Requests wait."""
        self.held = True
        super().pause_reading()

    def release(self) -> None:
        """No request waits any more."""
        self.held = False
        if not self._body_waits:
            super().resume_reading()
