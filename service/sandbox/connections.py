"""Breaking connections on purpose, as networks do."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flask import Response


def drop(environ: Mapping[str, Any]) -> Response:
    """Close the caller's connection without an answer; what is returned reaches nobody.

    Werkzeug's server puts the socket into the environment and forgives a closed one.
    """
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    return Response(status=499)
