"""How Kafka is spoken to: in the clear, by TLS, with a name and a password. Part of the settings.

What would be less safe than it looks is refused: a password over an unencrypted connection, and
a password or certificates that the chosen protocol would silently leave unused.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, model_validator

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
PemFile = Annotated[Path | None, BeforeValidator(lambda value: value or None)]
"""A variable that is set to nothing names no file."""

NO_SECRET = SecretStr("")
UNSECURED = {
    "security_protocol": "PLAINTEXT",
    "ssl_ca_file": "",
    "ssl_certificate_file": "",
    "ssl_key_file": "",
    "ssl_key_password": "",
    "sasl_username": "",
    "sasl_password": "",
}
"""The settings for a Kafka of one's own on this machine, whatever the environment says."""


class KafkaSecurity(BaseModel):
    """The settings of security, their names as Kafka's own clients have them."""

    security_protocol: Protocol = Field(
        "PLAINTEXT",
        description="SASL_SSL or SSL wherever Kafka is not on this machine alone: docs/security.md",
    )
    ssl_ca_file: PemFile = Field(
        None,
        description="PEM file of the authorities that may vouch for brokers; else the system's",
    )
    ssl_certificate_file: PemFile = Field(
        None, description="PEM file of this client's certificate, where brokers ask for one"
    )
    ssl_key_file: PemFile = Field(
        None, description="PEM file of that certificate's key, if it is not in the same file"
    )
    ssl_key_password: SecretStr = Field(NO_SECRET, description="of that key, if it is encrypted")
    sasl_mechanism: Mechanism = Field("SCRAM-SHA-512", description="how the password is proven")
    sasl_username: str = Field("", description="Kafka's name for this client")
    sasl_password: SecretStr = Field(
        NO_SECRET, description="its password; better in a file of STREAMER_SECRETS_DIR than here"
    )
    sasl_allow_plaintext: bool = Field(
        default=False,
        description="send the password over unencrypted connections (SASL_PLAINTEXT) all the same",
    )

    @property
    def uses_tls(self) -> bool:
        """Whether connections to Kafka are encrypted, and brokers must prove who they are."""
        return self.security_protocol.endswith("SSL")

    @property
    def uses_sasl(self) -> bool:
        """Whether brokers are told a name and a password."""
        return self.security_protocol.startswith("SASL")

    @model_validator(mode="after")
    def _password_is_used_and_safe(self) -> Self:
        given = bool(self.sasl_username), bool(self.sasl_password)
        if self.uses_sasl and not all(given):
            raise ValueError(
                f"{self.security_protocol} needs STREAMER_SASL_USERNAME and STREAMER_SASL_PASSWORD"
            )
        if any(given) and not self.uses_sasl:
            raise ValueError(
                "STREAMER_SASL_USERNAME and STREAMER_SASL_PASSWORD would not be used: set "
                "STREAMER_SECURITY_PROTOCOL=SASL_SSL, or remove them"
            )
        if self.uses_sasl and not self.uses_tls and not self.sasl_allow_plaintext:
            raise ValueError(
                "SASL_PLAINTEXT sends the password over unencrypted connections: set "
                "STREAMER_SECURITY_PROTOCOL=SASL_SSL, or STREAMER_SASL_ALLOW_PLAINTEXT=true if "
                "you must"
            )
        return self

    @model_validator(mode="after")
    def _certificates_are_used(self) -> Self:
        given = [self.ssl_ca_file, self.ssl_certificate_file, self.ssl_key_file]
        if any(given) and not self.uses_tls:
            raise ValueError(
                "STREAMER_SSL_CA_FILE, STREAMER_SSL_CERTIFICATE_FILE and STREAMER_SSL_KEY_FILE "
                "would not be used: set STREAMER_SECURITY_PROTOCOL=SSL or SASL_SSL, or remove them"
            )
        if self.ssl_key_file and not self.ssl_certificate_file:
            raise ValueError("STREAMER_SSL_KEY_FILE needs STREAMER_SSL_CERTIFICATE_FILE")
        return self
