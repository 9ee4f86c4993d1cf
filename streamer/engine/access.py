"""Whether Kafka lets this client in, and what it lets it do: told in a sentence, before work."""

import ssl

from aiokafka import errors
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.protocol.metadata import MetadataRequest

from streamer.engine import permissions
from streamer.engine.acls import Role, acls
from streamer.engine.clients import connection
from streamer.errors import StreamerError
from streamer.settings import Settings

ANSWER_SECONDS_MAX = 5.0
OTHER_HOST = (62, 64)
"""OpenSSL's codes for a certificate of another name, or another address."""


class AccessError(StreamerError):
    """Kafka refuses this client, or this client refuses what is there in Kafka's place."""


async def check_access(settings: Settings, role: Role) -> None:
    """Return if Kafka lets this client do what ``role`` does.

    Raises:
        AccessError: it does not; the message says what is missing.
        KafkaError: no broker answers.
    """
    admin = AIOKafkaAdminClient(**connection(settings))
    try:
        await admin.start()
        found = await permissions.missing(admin, acls(role, settings))
    except errors.KafkaConnectionError:
        if (refused := await refusal(settings)) is not None:
            raise AccessError(refused) from None
        raise
    finally:
        await admin.close()
    if found:
        raise AccessError(
            f"Kafka does not allow this {role}: {'; '.join(map(str, found))}. Allow it with "
            "`kafka-acls --add --allow-principal User:NAME` and these, or see `streamer topics "
            "acls`."
        )


async def refusal(settings: Settings) -> str | None:
    """Return why a connection comes to nothing, if an address answers at all; else None."""
    keywords = connection(settings)
    for host, port, _ in collect_hosts(keywords.pop("bootstrap_servers")):
        timeout_ms = round(ANSWER_SECONDS_MAX * 1000)
        try:
            broker = await create_conn(host, port, request_timeout_ms=timeout_ms, **keywords)
            try:
                await broker.send(MetadataRequest([]))
            finally:
                broker.close()
        except (errors.KafkaError, OSError) as error:
            if (reason := _reason(error, settings)) is not None:
                return f"{host}:{port} {reason}."
        else:
            return None
    return None


def _reason(error: Exception, settings: Settings) -> str | None:
    """Return what ``error`` says of the broker; None if only that it is not there."""
    protocol = settings.security_protocol
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(error)
    if isinstance(error, errors.BrokerResponseError):
        return _of_password(error, settings)
    if isinstance(error, errors.KafkaConnectionError):  # it stood, and the broker closed it
        return (
            f"closes connections made by {protocol}: set STREAMER_SECURITY_PROTOCOL to what its "
            "listener speaks, and STREAMER_SSL_CERTIFICATE_FILE if it asks for certificates"
        )
    if settings.uses_tls and isinstance(error, ssl.SSLError | ConnectionResetError):
        return f"does not speak TLS: give STREAMER_BROKERS the port of its {protocol} listener"
    return None


def _of_password(error: errors.BrokerResponseError, settings: Settings) -> str | None:
    match error:
        case errors.SaslAuthenticationFailed():
            return (
                f"does not accept the password of {settings.sasl_username!r} by "
                f"{settings.sasl_mechanism}: correct STREAMER_SASL_USERNAME, "
                "STREAMER_SASL_PASSWORD or STREAMER_SASL_MECHANISM"
            )
        case errors.UnsupportedSaslMechanismError():
            return f"does not know {settings.sasl_mechanism}: set STREAMER_SASL_MECHANISM"
        case errors.IllegalSaslStateError():
            return "asks for no password: set STREAMER_SECURITY_PROTOCOL to SSL, or PLAINTEXT"
    return None


def _of_certificate(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in OTHER_HOST:
        return (
            f"shows the certificate of another host ({error.verify_message}): name it in "
            "STREAMER_BROKERS as its certificate does"
        )
    return (
        f"shows a certificate that is not to be trusted ({error.verify_message}): set "
        "STREAMER_SSL_CA_FILE to the authority that made it, if you trust that"
    )
