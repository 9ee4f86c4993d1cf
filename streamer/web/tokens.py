"""Who may ask what: bearer tokens (RFC 6750) of two scopes, ``read`` and ``admin``.

Without any token only the loopback can be listened on (see ``settings``). Then everyone on this
machine may ask; but not a page of another site whose name has been made to point here, so the
request must name the loopback as its host.
"""

from hmac import compare_digest
from typing import Literal

from pydantic import SecretStr

from streamer.settings import Settings, is_loopback
from streamer.web.problems import Problem

Scope = Literal["read", "admin"]

_REALM = 'Bearer realm="streamer"'


class Gate:
    """Lets through who may pass."""

    def __init__(self, settings: Settings) -> None:
        self._read = _bytes(settings.http_read_token)
        self._admin = _bytes(settings.http_admin_token)

    def check(self, authorization: str | None, host: str, scope: Scope) -> None:
        """Let a request pass, or raise.

        Args:
            authorization: the header, if it came.
            host: what the request calls this server, with or without its port.
            scope: what is asked for.

        Raises:
            Problem: 401 without a valid token, 403 where it does not suffice.
        """
        if self._read is None and self._admin is None:
            if not is_loopback(_without_port(host)):
                raise Problem(403, "without a token this is for 127.0.0.1 only: ask for it by that")
            return
        given = _given(authorization)
        # Both are compared, so that the time tells nothing of which it might be.
        is_read, is_admin = _same(given, self._read), _same(given, self._admin)
        if not (is_read or is_admin):
            challenge = {"WWW-Authenticate": f'{_REALM}, error="invalid_token"'}
            raise Problem(401, "this token is not known: ask who runs the workers", None, challenge)
        if scope == "admin" and not is_admin:
            challenge = {"WWW-Authenticate": f'{_REALM}, error="insufficient_scope"'}
            raise Problem(403, "this needs the admin token", None, challenge)


def _bytes(token: SecretStr | None) -> bytes | None:
    return None if token is None else token.get_secret_value().encode()


def _given(authorization: str | None) -> bytes:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        challenge = {"WWW-Authenticate": _REALM}
        raise Problem(401, "send a token: `Authorization: Bearer ...`", None, challenge)
    return token.strip().encode(errors="surrogateescape")


def _same(given: bytes, expected: bytes | None) -> bool:
    return expected is not None and compare_digest(given, expected)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
