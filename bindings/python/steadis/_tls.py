"""TLS by Python's own means, where the socket is Python's."""

from __future__ import annotations

import ssl


def context(ca: str | None, cert: str | None, key: str | None) -> ssl.SSLContext:
    """Of the files that settings name; certificates are checked."""
    made = ssl.create_default_context(cafile=ca)
    if cert is not None:
        made.load_cert_chain(cert, key)
    return made
