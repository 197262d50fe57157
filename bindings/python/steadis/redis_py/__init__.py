"""redis-py, led to the primary by Steadis: for programs that cannot do without redis-py's classes.

    r = steadis.redis_py.Redis()                       # the environment, or a URL of any kind
    CACHES = {"default": {..., "OPTIONS": {"pool_class": "steadis.redis_py.ConnectionPool"}}}

The address is the core's: found through Sentinels, verified, pushed when it changes. Everything
else (pools, parsing, retries) stays redis-py's.
"""

from steadis.redis_py._connection import BlockingConnectionPool, Connection, ConnectionPool, Redis

__all__ = ["BlockingConnectionPool", "Connection", "ConnectionPool", "Redis"]
