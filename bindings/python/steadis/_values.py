"""What clients say of their deployment, and what subscribers hear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Message(NamedTuple):
    """A message of a channel."""

    channel: Any
    #: The pattern that matched, if it came by one.
    pattern: Any
    data: Any


class Gap(NamedTuple):
    """The connection was lost and is back: what was published in between may have been missed."""

    #: Seconds since 1970.
    since: float
    until: float


class Sentinel(NamedTuple):
    """A Sentinel, as seen from here."""

    address: str
    up: bool
    #: What it said last: the primary's address, or why it gave none.
    says: str


class Topology(NamedTuple):
    """What is known of a deployment at one moment."""

    #: Grows with every primary that is accepted.
    epoch: int
    #: ``resolving``, ``ready``, ``fenced`` (writes wait) or ``lost`` (everything waits).
    phase: str
    primary: str | None
    replicas: list[str]
    sentinels: list[Sentinel]
    #: Why there is no primary.
    reason: str | None


class Health(str):
    """``ready``, ``degraded``, ``failing_over`` or ``down``, with details."""

    primary: str | None
    replicas: int
    sentinels_up: int
    sentinels: int
    #: What keeps it from being ready.
    reason: str | None

    __slots__ = ("primary", "reason", "replicas", "sentinels", "sentinels_up")


class Setting(NamedTuple):
    """One setting, and who supplied it."""

    name: str
    #: ``***`` for a password.
    value: str
    source: str


class Explanation(list[Setting]):
    """The settings of a client; ``print`` shows a table."""

    def __init__(self, table: str, rows: Sequence[tuple[str, str, str]]) -> None:
        super().__init__(Setting(*row) for row in rows)
        self._table = table

    def __str__(self) -> str:
        return self._table


def topology(told: dict[str, Any]) -> Topology:
    """What is known, of what the core tells."""
    sentinels = [Sentinel(**it) for it in told.pop("sentinels")]
    return Topology(sentinels=sentinels, **told)


def health(told: dict[str, Any]) -> Health:
    """How it fares, of what the core tells."""
    health = Health(told.pop("state"))
    for name, value in told.items():
        setattr(health, name, value)
    return health
