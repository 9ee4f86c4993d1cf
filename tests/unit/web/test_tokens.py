import hmac
from pathlib import Path

import pytest
from pydantic import ValidationError

from streamer.settings import Settings, load_settings
from streamer.web.problems import Problem
from streamer.web.tokens import Gate

READ, ADMIN = "r" * 20, "a" * 20


def refused(gate: Gate, authorization: str | None, scope: str, host: str = "shop:80") -> Problem:
    with pytest.raises(Problem) as caught:
        gate.check(authorization, host, scope)  # type: ignore[arg-type] # a literal, by parameter
    return caught.value


@pytest.fixture
def gate() -> Gate:
    return Gate(Settings(http_read_token=READ, http_admin_token=ADMIN))


@pytest.mark.parametrize("given", [f"Bearer {READ}", f"bearer {READ}", f"Bearer {ADMIN}"])
def test_either_token_may_read(gate: Gate, given: str) -> None:
    gate.check(given, "shop:80", "read")


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer ", f"Basic {READ}", READ])
def test_without_a_token_there_is_a_challenge(gate: Gate, given: str | None) -> None:
    problem = refused(gate, given, "read")
    assert problem.status == 401
    assert problem.headers["WWW-Authenticate"] == 'Bearer realm="streamer"'


@pytest.mark.parametrize("given", [READ[:-1], READ + "r", READ.upper(), "é☃", "\udcff"])
def test_another_token_is_none(gate: Gate, given: str) -> None:
    problem = refused(gate, f"Bearer {given}", "read")
    assert problem.status == 401
    assert "invalid_token" in problem.headers["WWW-Authenticate"]


def test_a_token_is_compared_with_all_in_constant_time_and_in_no_other_way(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    def refuse(given: bytes, token: bytes) -> bool:
        compared.append((given, token))
        return hmac.compare_digest(given, token) and len(compared) > 2

    monkeypatch.setattr("streamer.web.tokens.compare_digest", refuse)
    assert refused(gate, f"Bearer {READ}", "read").status == 401
    assert compared == [(READ.encode(), READ.encode()), (READ.encode(), ADMIN.encode())]
    gate.check(f"Bearer {READ}", "shop:80", "read")


def test_only_the_admin_token_may_change(gate: Gate) -> None:
    gate.check(f"Bearer {ADMIN}", "shop:80", "admin")
    problem = refused(gate, f"Bearer {READ}", "admin")
    assert problem.status == 403
    assert "insufficient_scope" in problem.headers["WWW-Authenticate"]


def test_with_a_read_token_alone_nobody_may_change() -> None:
    gate = Gate(Settings(http_read_token=READ))
    assert refused(gate, f"Bearer {READ}", "admin").status == 403


@pytest.mark.parametrize("host", ["127.0.0.1:6066", "localhost:6066", "[::1]:6066", "127.9.9.9"])
def test_without_tokens_this_machine_may_do_all(host: str) -> None:
    Gate(Settings()).check(None, host, "admin")


@pytest.mark.parametrize("host", ["evil.example:6066", "", "127.0.0.1.evil.example", "10.0.0.1"])
def test_without_tokens_no_other_name_is_answered(host: str) -> None:
    assert refused(Gate(Settings()), None, "read", host).status == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "shop.example"])
def test_without_a_token_only_the_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(ValidationError, match="http_read_token"):
        Settings(http_host=host)
    assert Settings(http_host=host, http_read_token=READ).http_host == host


def test_tokens_come_from_files_and_are_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "streamer_http_read_token").write_text(READ)
    monkeypatch.setenv("STREAMER_SECRETS_DIR", str(tmp_path))
    settings = load_settings()
    assert settings.http_read_token is not None
    assert settings.http_read_token.get_secret_value() == READ
    assert READ not in repr(settings)


def test_a_short_token_is_refused() -> None:
    with pytest.raises(ValidationError, match="http_admin_token"):
        Settings(http_admin_token="short")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://127.0.0.1:6066"),
        ({"http_host": "::1"}, "http://[::1]:6066"),
        ({"http_advertised_url": "http://worker-1:80"}, "http://worker-1:80"),
    ],
)
def test_workers_are_reached_by_their_host_or_as_they_say(given: dict[str, str], url: str) -> None:
    assert Settings(**given).http_url == url  # type: ignore[arg-type] # by name
