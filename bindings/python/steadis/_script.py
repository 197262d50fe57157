"""Lua scripts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from steadis import _steadis


class Script:
    """A Lua script. The server knows it by its digest, and is told its source where it does not."""

    __slots__ = ("_client", "_script")

    def __init__(self, client: Any, script: _steadis.Script) -> None:
        self._client = client
        self._script = script

    @property
    def sha(self) -> str:
        """What EVALSHA calls it."""
        return self._script.digest

    def __call__(self, keys: Any = None, args: Any = None, client: Any = None) -> Any:
        """Runs it, or queues it if ``client`` is a pipeline; an event loop's client is awaited."""
        return (client or self._client)._run_script(self._script, keys, args)

    def __repr__(self) -> str:
        return f"<steadis.Script {self.sha}>"
