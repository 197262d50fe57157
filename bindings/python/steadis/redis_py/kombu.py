"""A transport for kombu and Celery: ``broker_transport = "steadis.redis_py.kombu:Transport"``.

The broker's URL is one that Steadis knows, or ``steadis://`` for the environment. Sentinels behind
the first one are written as ``node=``, because kombu splits URLs at ``;``.
"""

from __future__ import annotations

import json
from typing import Any

from kombu.transport import redis as kombu_redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from steadis import _errors
from steadis.redis_py._connection import Connection
from steadis.redis_py._way import resolver


def url_of(url: str | None) -> str:
    """The URL for Steadis in one that names us too."""
    url = (url or "").removeprefix("steadis+")
    return "" if url.startswith("steadis:") else url


#: What kombu knows better from the core.
_OURS = ("host", "port", "username", "password")


class Channel(kombu_redis.Channel):
    """Sends and takes messages on connections to whoever is primary."""

    connection_class = Connection

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        url = url_of(self.connection.client.hostname)
        parameters: dict[str, Any] = super()._connparams(asynchronous)
        parameters = {name: it for name, it in parameters.items() if name not in _OURS}
        settings = json.loads(resolver(url)._settings())
        # kombu begins anew by itself; a try of redis-py's own would block its loop.
        retry = Retry(NoBackoff(), 0)
        return {**parameters, "steadis": url, "db": settings.get("db", 0), "retry": retry}


class Transport(kombu_redis.Transport):
    """kombu's transport for Redis, led to the primary by Steadis."""

    Channel = Channel
    can_parse_url = True
    # Celery delivers at least once: a message whose fate is unknown is sent again.
    connection_errors = (*kombu_redis.Transport.connection_errors, _errors.MaybeExecutedError)
