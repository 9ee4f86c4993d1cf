"""Certificates made on the fly, by an authority that nobody else knows."""

from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


class Authority:
    """An authority with its file, in ``folder``."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._authority = trustme.CA()
        self._folder = folder
        self.file = folder / f"{name}.pem"
        self._authority.cert_pem.write_to_path(self.file)

    def certificate(self, *identities: str, password: str = "") -> Path:
        """Return a file with the key, as Kafka wants it, and the certificate of ``identities``."""
        leaf = self._authority.issue_cert(*identities)
        key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
        encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
        file = self._folder / f"{identities[0]}{'-locked' if password else ''}.pem"
        file.write_bytes(pem + b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        return file
