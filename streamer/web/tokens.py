"""Who may ask what: bearer tokens (RFC 6750) of the scopes ``read``, ``write`` and ``admin``.

The admin token is good for all; a shop's backend that sends events need not be able to read.

Without any token only the loopback can be listened on (see ``settings``). Then everyone on this
machine may ask; but not a page of another site whose name has been made to point here, so the
request must name the loopback as its host.
"""

from hmac import compare_digest
from typing import Literal

from pydantic import SecretStr

from streamer.endpoints import is_loopback
from streamer.settings import Settings
from streamer.web.problems import Problem

Scope = Literal["read", "write", "admin"]

_REALM = 'Bearer realm="streamer"'


class Gate:
    """Lets through who may pass."""

    def __init__(self, settings: Settings) -> None:
        tokens: dict[Scope, SecretStr | None] = {
            "read": settings.http_read_token,
            "write": settings.http_write_token,
            "admin": settings.http_admin_token,
        }
        self._tokens = {scope: _bytes(token) for scope, token in tokens.items() if token}

    def check(self, authorization: str | None, host: str, scope: Scope) -> None:
        """Let a request pass, or raise.

        Args:
            authorization: the header, if it came.
            host: what the request calls this server, with or without its port.
            scope: what is asked for.

        Raises:
            Problem: 401 without a valid token, 403 where it does not suffice.
        """
        if not self._tokens:
            if not is_loopback(_without_port(host)):
                raise Problem(403, "without a token this is for 127.0.0.1 only: ask for it by that")
            return
        given = _given(authorization)
        # All are compared, so that the time tells nothing of which it might be.
        good_for = [of for of, token in self._tokens.items() if compare_digest(given, token)]
        if not good_for:
            challenge = {"WWW-Authenticate": f'{_REALM}, error="invalid_token"'}
            raise Problem(401, "this token is not known: ask who runs the workers", None, challenge)
        if scope not in good_for and "admin" not in good_for:
            challenge = {"WWW-Authenticate": f'{_REALM}, error="insufficient_scope"'}
            raise Problem(403, f"this needs a token of scope {scope}", None, challenge)


def _bytes(token: SecretStr) -> bytes:
    return token.get_secret_value().encode()


def _given(authorization: str | None) -> bytes:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        challenge = {"WWW-Authenticate": _REALM}
        raise Problem(401, "send a token: `Authorization: Bearer ...`", None, challenge)
    return token.strip().encode(errors="surrogateescape")


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
