from pathlib import Path

import pytest

from streamer.engine.clients import connection
from streamer.security import UNSECURED, KafkaSecurity
from streamer.settings import ConfigurationError, load_settings
from tests.support.authority import Authority

SAFE = {"security_protocol": "SASL_SSL", "sasl_username": "ann", "sasl_password": "hush"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to start in: no .env, no streamer.toml."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({**SAFE, "security_protocol": "SASL_PLAINTEXT"}, "SASL_ALLOW_PLAINTEXT"),
        ({**SAFE, "security_protocol": "PLAINTEXT"}, "would not be used"),
        ({**SAFE, "security_protocol": "SSL"}, "would not be used"),
        ({**SAFE, "sasl_password": ""}, "needs STREAMER_SASL_USERNAME and"),
        ({**SAFE, "sasl_username": ""}, "needs STREAMER_SASL_USERNAME and"),
        ({**SAFE, "sasl_mechanism": "GSSAPI"}, "STREAMER_SASL_MECHANISM"),
        ({"ssl_ca_file": "ca.pem"}, "SSL_CA_FILE"),
        ({"ssl_certificate_file": "me.pem"}, "SSL_CERTIFICATE_FILE"),
        ({"security_protocol": "SSL", "ssl_key_file": "me.pem"}, "SSL_KEY_FILE needs"),
        ({"security_protocol": "TLS"}, "STREAMER_SECURITY_PROTOCOL"),
    ],
)
def test_what_is_less_safe_than_it_looks_is_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as raised:
        load_settings(**settings)
    assert "hush" not in str(raised.value)


def test_a_password_in_the_clear_can_be_forced() -> None:
    clear = {**SAFE, "security_protocol": "SASL_PLAINTEXT", "sasl_allow_plaintext": True}
    assert connection(load_settings(**clear))["security_protocol"] == "SASL_PLAINTEXT"


def test_a_password_may_come_from_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "streamer_sasl_password").write_text("hush\n")
    monkeypatch.setenv("STREAMER_SECRETS_DIR", str(folder))
    settings = load_settings(security_protocol="SASL_SSL", sasl_username="ann")
    assert connection(settings)["sasl_plain_password"] == "hush"


def test_certificates_are_checked_and_so_is_the_host(folder: Path) -> None:
    authority = Authority(folder)
    settings = load_settings(security_protocol="SSL", ssl_ca_file=authority.file)
    context = connection(settings)["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize("name", ["ssl_ca_file", "ssl_certificate_file"])
@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_file_that_holds_no_certificate_is_named(
    folder: Path, name: str, content: bytes | None
) -> None:
    file = folder / "some.pem"
    if content is not None:
        file.write_bytes(content)
    settings = load_settings(security_protocol="SSL", **{name: file})
    with pytest.raises(ConfigurationError, match=f"STREAMER_{name.upper()}, .*some.pem"):
        connection(settings)


def test_a_locked_key_without_its_password_is_named_and_nobody_is_asked(folder: Path) -> None:
    certificate = Authority(folder).certificate("me.example", password="of-the-key")
    settings = load_settings(security_protocol="SSL", ssl_certificate_file=certificate)
    with pytest.raises(ConfigurationError, match="STREAMER_SSL_KEY_PASSWORD"):
        connection(settings)


def test_the_demo_needs_no_security_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {**SAFE, "ssl_ca_file": "ca.pem", "ssl_key_password": "k"}.items():
        monkeypatch.setenv(f"STREAMER_{name.upper()}", value)
    assert connection(load_settings(**UNSECURED))["security_protocol"] == "PLAINTEXT"
    assert UNSECURED.keys() | {"sasl_mechanism", "sasl_allow_plaintext"} == set(
        KafkaSecurity.model_fields
    )


def test_a_secret_is_not_in_the_settings_text() -> None:
    settings = load_settings(**SAFE, ssl_key_password="whisper")
    for text in (repr(settings), str(settings), settings.model_dump_json(), f"{settings!r:>9}"):
        assert "hush" not in text
        assert "whisper" not in text
