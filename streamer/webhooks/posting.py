"""One try: an update, signed and posted, and what the endpoint answered."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from aiohttp import (
    ClientConnectorCertificateError,
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
)
from pydantic import SecretStr
from standardwebhooks import Webhook
from yarl import URL

from streamer.endpoints import Endpoint
from streamer.webhooks.answers import Answer, retry_after_seconds
from streamer.webhooks.messages import Message


def client(timeout_seconds: float) -> ClientSession:
    """Return an HTTP client that keeps nothing and takes nothing from the environment."""
    return ClientSession(
        timeout=ClientTimeout(total=timeout_seconds),
        cookie_jar=DummyCookieJar(),
        trust_env=False,  # .netrc holds passwords
        headers={
            "Content-Type": "application/json",
            "User-Agent": f"streamer/{version('streamer')}",
        },
    )


async def post(http: ClientSession, endpoint: Endpoint, message: Message) -> Answer:
    """Post ``message`` to ``endpoint``; whatever goes wrong is an answer, too."""
    url = URL(endpoint.url.get_secret_value(), encoded=True)
    headers = signed_headers(endpoint.secrets, message, datetime.now(UTC))
    try:
        # A redirect could lead anywhere: it is an answer like others.
        async with http.post(
            url, data=message.body, headers=headers, allow_redirects=False
        ) as response:
            wait = retry_after_seconds(response.headers.get("Retry-After"))
            return Answer(response.status, "", wait)
    except TimeoutError:
        return Answer(None, "no answer in time")
    except (ClientError, OSError) as error:
        return Answer(None, _fault(error))


def signed_headers(secrets: Sequence[SecretStr], message: Message, now: datetime) -> dict[str, str]:
    """Return the three headers of Standard Webhooks, with a signature by each of ``secrets``."""
    text = message.body.decode()
    signatures = (
        Webhook(secret.get_secret_value()).sign(message.id, now, text) for secret in secrets
    )
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _fault(error: Exception) -> str:
    """Return what went wrong; never the URL, which may hold a token."""
    if isinstance(error, ClientConnectorCertificateError):
        return f"its certificate is not to be trusted: {error.certificate_error}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
