"""The logger, which costs nothing until something is logged."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable


def log() -> logging.Logger:
    """The logger ``steadis``, quiet unless the application configures it."""
    import logging

    logger = logging.getLogger("steadis")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger


def is_wanted() -> bool:
    """Whether events would be logged."""
    logging = sys.modules.get("logging")
    return logging is not None and log().isEnabledFor(logging.INFO)


def warn(warnings: Iterable[str]) -> None:
    """Logs what is odd about settings."""
    for warning in warnings:
        log().warning("%s", warning)
