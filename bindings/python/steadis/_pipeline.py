"""Commands in a row."""

from __future__ import annotations

from steadis import _steadis
from steadis._commands import QueuedCommands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Queue(QueuedCommands, _steadis.Queue):
    """Commands in a row, not sent yet."""

    __slots__ = ()

    execute_command = _steadis.Queue.call


class Pipeline(QueuedCommands, _steadis.Pipeline):
    """Commands that are sent in one go by :meth:`execute`."""

    __slots__ = ()

    execute_command = _steadis.Pipeline.call

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.reset()
