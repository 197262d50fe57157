"""Commands in a row, sent by an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from steadis import _steadis
from steadis._commands import QueuedCommands

if TYPE_CHECKING:
    from types import TracebackType


class Pipeline(QueuedCommands, _steadis.AsyncPipeline):
    """Commands that are sent in one go by :meth:`execute`, which is awaited; they are not."""

    __slots__ = ()

    execute_command = _steadis.AsyncPipeline.call

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.reset()
