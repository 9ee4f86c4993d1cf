"""Whom webhooks go to. Part of the settings.

What would give customers' data away is refused: an endpoint spoken to in the clear, unless it is
on this machine, and one without a secret, whose receiver could not tell a delivery from a forgery.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, Field, SecretStr, model_validator

EndpointName = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
Output = Literal["ltv-updates", "churn-risk-updates", "segment-changes", "recommended-actions"]

SECRET_PREFIX = "whsec_"  # noqa: S105 - the beginning of every such secret
SECRET_BYTES_MIN, SECRET_BYTES_MAX = 24, 64
"""As Standard Webhooks has it."""

OUTPUTS: tuple[Output, ...] = ("segment-changes", "recommended-actions")
"""What an endpoint gets that names none: what there is to do, not each figure that moves."""


class Endpoint(BaseModel, frozen=True):
    """A receiver."""

    name: str
    url: SecretStr
    """Secret as a whole: many tools put their token into it."""
    secrets: tuple[SecretStr, ...]
    """More than one while the receiver changes over from one to the other."""
    outputs: tuple[Output, ...]

    @property
    def origin(self) -> str:
        """Scheme, host and port: what may be shown."""
        return origin_of(self.url)


class WebhookSettings(BaseModel):
    """The settings of ``streamer webhooks``."""

    webhook_urls: dict[EndpointName, SecretStr] = Field(
        default_factory=dict,
        description="who is told by webhook, as JSON: "
        '{"crm": "https://crm.example/hooks/1"}; https, but on this machine',
    )
    webhook_secrets: dict[EndpointName, SecretStr] = Field(
        default_factory=dict,
        description='what deliveries are signed with, as JSON: {"crm": "whsec_…"}; two apart by a '
        "space while one takes the other's place; better in a file of STREAMER_SECRETS_DIR",
    )
    webhook_outputs: dict[EndpointName, Annotated[tuple[Output, ...], Field(min_length=1)]] = Field(
        default_factory=dict,
        description='what each is told, as JSON: {"crm": ["churn-risk-updates"]}; else '
        "segment-changes and recommended-actions",
    )
    webhook_from_beginning: bool = Field(
        default=False,
        description="tell an endpoint that is new all that is published, not only what comes",
    )
    webhook_attempts_max: int = Field(
        10, ge=1, le=100, description="tries of a delivery that the endpoint, though well, refuses"
    )
    webhook_timeout_seconds: float = Field(
        15, gt=0, le=120, description="how long an endpoint may take to answer"
    )

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The receivers."""
        return tuple(
            Endpoint(
                name=name,
                url=url,
                secrets=tuple(map(SecretStr, _words(self.webhook_secrets[name]))),
                outputs=self.webhook_outputs.get(name, OUTPUTS),
            )
            for name, url in self.webhook_urls.items()
        )

    @model_validator(mode="after")
    def _endpoints_are_safe(self) -> Self:
        for fault in self._faults():
            raise ValueError(fault)
        return self

    def _faults(self) -> Iterator[str]:
        """Give what is wrong with the endpoints; never a URL or a secret."""
        for setting in ("webhook_secrets", "webhook_outputs"):
            for name in getattr(self, setting).keys() - self.webhook_urls.keys():
                yield f"{setting} names {name}, for which there is no URL in webhook_urls"
        for name, url in self.webhook_urls.items():
            yield from (f"webhook_urls: that of {name} {fault}" for fault in _faults_of_url(url))
            if name not in self.webhook_secrets:
                yield f"webhook_secrets must have one for {name}: nobody could tell a forgery"
            elif not all(map(_is_secret, _words(self.webhook_secrets[name]) or [""])):
                yield (
                    f"webhook_secrets: that of {name} must be {SECRET_PREFIX} and "
                    f"{SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes in base64, say of "
                    "`openssl rand -base64 32`"
                )


def is_loopback(host: str) -> bool:
    """Return whether ``host``, a name or an address, is reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def origin_of(url: SecretStr) -> str:
    """Return scheme, host and port of ``url``."""
    parts = urlsplit(url.get_secret_value())
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _faults_of_url(url: SecretStr) -> Iterator[str]:
    try:
        parts = urlsplit(url.get_secret_value())
        parts.port  # noqa: B018 - it is checked only when it is asked for
    except ValueError:
        yield "cannot be read"
        return
    yield from _faults_of_parts(parts)


def _faults_of_parts(parts: SplitResult) -> Iterator[str]:
    if not parts.hostname:
        yield "names no host"
    elif parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        yield "must begin with https://: customers' data is not sent in the clear"
    if parts.username is not None or parts.fragment:
        yield "must hold neither a password nor a fragment"


def _words(secret: SecretStr) -> list[str]:
    return secret.get_secret_value().split()


def _is_secret(word: str) -> bool:
    if not word.startswith(SECRET_PREFIX):
        return False
    try:
        key = b64decode(word.removeprefix(SECRET_PREFIX), validate=True)
    except (Base64Error, ValueError):
        return False
    return SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX
