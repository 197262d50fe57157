"""A result backend for Celery: ``result_backend = "steadis+redis-sentinel://…"``.

``steadis://`` takes the environment.
"""

from __future__ import annotations

from typing import Any

from celery.backends import redis as celery_redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from steadis import _errors, _steadis
from steadis.redis_py._connection import Connection
from steadis.redis_py.kombu import _OURS, url_of


class _Connection(Connection):
    """Tells Celery when messages may have been missed, so that it asks for the results."""

    def send_command(self, *args: Any, **options: Any) -> None:
        _, _, subscribes = _steadis._nature(*args)
        if subscribes:
            self.retry = Retry(NoBackoff(), 0)
        super().send_command(*args, **options)


class Backend(celery_redis.RedisBackend):
    """Celery's backend for Redis, led to the primary by Steadis."""

    def __init__(self, *args: Any, url: str | None = None, **options: Any) -> None:
        super().__init__(*args, url=url or "steadis://", **options)
        # A result can be stored twice without harm.
        known: tuple[type[Exception], ...] = vars(self)["connection_errors"]
        self.connection_errors = (*known, _errors.MaybeExecutedError)

    def _params_from_url(self, url: str, defaults: dict[str, Any]) -> dict[str, Any]:
        parameters = {name: it for name, it in defaults.items() if name not in (*_OURS, "db")}
        return {**parameters, "connection_class": _Connection, "steadis": url_of(url)}
