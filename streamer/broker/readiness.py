"""Asks a broker, in Kafka's own protocol, whether it serves clients yet."""

import socket
import ssl
import struct
from contextlib import ExitStack

_CORRELATION_ID = 1
# Length, API key 18 (ApiVersions), version 0, correlation id, and no client id.
_API_VERSIONS_REQUEST = struct.pack(">ihhih", 10, 18, 0, _CORRELATION_ID, -1)
_ANSWER_HEAD = struct.Struct(">iih")
_ANSWER_SECONDS_MAX = 2.0


def answers(host: str, port: int, tls: ssl.SSLContext | None = None) -> bool:
    """Tell whether a Kafka broker answers an ApiVersions request without an error.

    It answers before it asks who the client is.

    A broker opens its port before it has joined the cluster, but answers only after, so an answer
    says more than a connection.
    """
    try:
        with ExitStack() as stack:
            plain = socket.create_connection((host, port), timeout=_ANSWER_SECONDS_MAX)
            connection = stack.enter_context(plain)
            if tls is not None:
                connection = stack.enter_context(tls.wrap_socket(connection, server_hostname=host))
            connection.sendall(_API_VERSIONS_REQUEST)
            head = stack.enter_context(connection.makefile("rb")).read(_ANSWER_HEAD.size)
    except OSError:
        return False
    if len(head) < _ANSWER_HEAD.size:
        return False
    _, correlation_id, error_code = _ANSWER_HEAD.unpack(head)
    return bool(correlation_id == _CORRELATION_ID and error_code == 0)
