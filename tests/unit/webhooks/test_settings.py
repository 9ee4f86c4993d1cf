import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from streamer.endpoints import OUTPUTS
from streamer.engine.acls import Acl, acls
from streamer.engine.topics import topics_of
from streamer.settings import ConfigurationError, Settings, load_settings
from tests.support.receiver import OTHER_SECRET, SECRET

URL = "https://crm.example/hooks/t0ken?k=v"


def told(**wrong: object) -> str:
    """Return what is said of settings that cannot be right; never a URL or a secret."""
    right = {"webhook_urls": {"crm": URL}, "webhook_secrets": {"crm": SECRET}}
    with pytest.raises(ConfigurationError) as error:
        load_settings(**{**right, **wrong})
    assert "t0ken" not in str(error.value)
    assert SECRET[6:] not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://crm.example/t0ken", "must begin with https://"),
        ("http://127.0.0.1.example/t0ken", "must begin with https://"),
        ("ftp://127.0.0.1/t0ken", "must begin with https://"),
        ("https:///t0ken", "names no host"),
        ("https://me:t0ken@crm.example/", "neither a password nor a fragment"),
        ("https://crm.example/#t0ken", "neither a password nor a fragment"),
        ("https://crm.example:t0ken/", "cannot be read"),
    ],
)
def test_an_endpoint_that_would_give_data_away_is_refused(url: str, words: str) -> None:
    assert words in told(webhook_urls={"crm": url})


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", SECRET[6:], SECRET + " whsec_?"]
)
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    assert "24 to 64 bytes in base64" in told(webhook_secrets={"crm": secret})


def test_endpoints_and_what_is_said_of_them_must_fit() -> None:
    assert "must have one for crm" in told(webhook_secrets={})
    both = {"crm": SECRET, "mailer": SECRET}
    assert "names mailer" in told(webhook_secrets=both)
    assert "names mailer" in told(webhook_outputs={"mailer": ["ltv-updates"]})
    assert "WEBHOOK_OUTPUTS" in told(webhook_outputs={"crm": ["dead-letters"]})


def test_this_machine_may_be_spoken_to_in_the_clear() -> None:
    for url in ("http://127.0.0.1:8000/x", "http://[::1]/x", "http://localhost/x"):
        settings = Settings(webhook_urls={"a": url}, webhook_secrets={"a": SECRET})
        assert settings.endpoints[0].origin == url.removesuffix("/x")


def test_secrets_come_from_a_file_too_and_are_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = json.dumps({"crm": f"{SECRET} {OTHER_SECRET}"})
    (tmp_path / "streamer_webhook_secrets").write_text(secrets)
    monkeypatch.setenv("STREAMER_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("STREAMER_WEBHOOK_URLS", json.dumps({"crm": URL}))
    (endpoint,) = load_settings().endpoints
    assert [one.get_secret_value() for one in endpoint.secrets] == [SECRET, OTHER_SECRET]
    assert endpoint.outputs == OUTPUTS
    for text in (repr(endpoint), str(load_settings()), load_settings().model_dump_json()):
        assert "t0ken" not in text
        assert SECRET[6:] not in text


def test_without_endpoints_nothing_is_made_and_with_them_least_rights() -> None:
    plain = load_settings()
    assert "webhook-dead-letters" not in topics_of(plain)
    settings = load_settings(
        webhook_urls={"crm": URL},
        webhook_secrets={"crm": SECRET},
        webhook_outputs={"crm": ["ltv-updates"]},
        topic_prefix="shop.",
    )
    assert "webhook-dead-letters" in topics_of(settings)
    assert acls("webhooks", settings) == [
        Acl("Read", "topic", "shop.ltv-updates"),
        Acl("Write", "topic", "shop.webhook-dead-letters"),
        Acl("Read", "group", "streamer-webhooks-crm"),
    ]


def test_an_adapters_topic_cannot_be_the_one_of_refused_webhooks() -> None:
    with pytest.raises(ValidationError, match="streamer's own topics: webhook-dead-letters"):
        Settings(adapters={"webhook-dead-letters": "shopify"})
