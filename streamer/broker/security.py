"""How the embedded Kafka asks who its clients are, and what they may do.

For tests and for trying things out: passwords stand in the node's `server.properties`, which only
its owner may read, and for the second in which the storage is made on a command line.
"""

import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

BROKER_USER = "broker"
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")

_PLAIN_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"
_SCRAM_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"
_AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"


@dataclass(frozen=True, slots=True)
class Security:
    """Certificates, users and rights of a cluster.

    Attributes:
        certificate: A PEM file with the brokers' key (PKCS #8, unencrypted) and certificate.
        authority: A PEM file of the authority that vouches for them, and for clients' certificates.
        protocol: Of the clients' listener. With SSL, clients must show a certificate.
        users: Name → password, for PLAIN and SCRAM; SCRAM's are set when the storage is made.
        super_users: Those who may do everything.
        acls: Refuse whatever no ACL allows.
        broker_password: With which brokers and controllers know each other.
    """

    certificate: Path
    authority: Path
    protocol: Literal["SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "SASL_SSL"
    users: Mapping[str, str] = field(default_factory=dict)
    super_users: tuple[str, ...] = ()
    acls: bool = False
    broker_password: str = field(default_factory=secrets.token_urlsafe)

    def properties(self) -> dict[str, str]:
        """Return Kafka's settings of it."""
        return {**self._listeners(), **self._certificates(), **self._passwords(), **self._rights()}

    def scram_arguments(self) -> list[str]:
        """Return what the formatter of a storage must be told."""
        return [
            f"--add-scram={mechanism}=[name={name},password={password}]"
            for mechanism in SCRAM
            for name, password in self.users.items()
        ]

    def client_context(self) -> ssl.SSLContext | None:
        """Return the TLS with which a broker may be asked whether it is there; None without TLS."""
        if not self.protocol.endswith("SSL"):
            return None
        context = ssl.create_default_context(cafile=self.authority)
        context.check_hostname = False  # a test may want a certificate of another host
        context.load_cert_chain(self.certificate)
        return context

    def _listeners(self) -> dict[str, str]:
        protocols = f"{self.protocol}:{self.protocol},CONTROLLER:SASL_SSL"
        return {
            "listener.security.protocol.map": protocols,
            "inter.broker.listener.name": self.protocol,
        }

    def _certificates(self) -> dict[str, str]:
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.certificate.absolute()),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.absolute()),
            "ssl.client.auth": "required" if self.protocol == "SSL" else "none",
            # Brokers find each other on the loopback whatever the certificate says.
            "ssl.endpoint.identification.algorithm": "",
        }

    def _passwords(self) -> dict[str, str]:
        clients = f"listener.name.{self.protocol.lower()}"
        known = "".join(f' user_{name}="{word}"' for name, word in self._everybody().items())
        own = f'username="{BROKER_USER}" password="{self.broker_password}"'
        plain = f"{_PLAIN_MODULE} required {own}{known};"
        settings = {
            # Controllers cannot use SCRAM: its passwords are in what they serve.
            "sasl.mechanism.controller.protocol": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": plain,
        }
        if self.protocol == "SSL":
            return settings
        return {
            **settings,
            f"{clients}.sasl.enabled.mechanisms": ",".join(("PLAIN", *SCRAM)),
            f"{clients}.plain.sasl.jaas.config": plain,
            **{
                f"{clients}.{mechanism.lower()}.sasl.jaas.config": f"{_SCRAM_MODULE} required;"
                for mechanism in SCRAM
            },
        }

    def _everybody(self) -> dict[str, str]:
        return {**self.users, BROKER_USER: self.broker_password}

    def _rights(self) -> dict[str, str]:
        if not self.acls:
            return {}
        principals = [f"User:{name}" for name in (BROKER_USER, *self.super_users)]
        return {"authorizer.class.name": _AUTHORIZER, "super.users": ";".join(principals)}
