import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from streamer.records.kafka import FileRecord
from streamer.webhooks.answers import Answer, retry_after_seconds
from streamer.webhooks.messages import Message, message_of
from streamer.webhooks.posting import signed_headers
from tests.support.receiver import OTHER_SECRET, SECRET

AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
VALUE = b'{"customer_id":"ann","historic_clv":"40.00"}'


def record(value: bytes | None) -> FileRecord:
    return FileRecord("shop.ltv-updates", 3, 17, round(AT.timestamp() * 1000), b"ann", value)


def test_an_update_is_told_as_it_was_published() -> None:
    message = message_of(record(VALUE), "ltv")
    assert message.id == "shop.ltv-updates-3-17"
    assert VALUE in message.body
    assert json.loads(message.body) == {
        "type": "ltv.updated",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "data": json.loads(VALUE),
    }


def test_an_erasure_names_whom_to_forget() -> None:
    message = message_of(record(None), "churn_risk")
    told = json.loads(message.body)
    assert (told["type"], told["data"]) == ("churn_risk.erased", {"customer_id": "ann"})


def test_the_signature_is_that_of_the_specification() -> None:
    # The example in the specification's own libraries' tests.
    message = Message("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')
    headers = signed_headers([SecretStr(SECRET)], message, datetime.fromtimestamp(1614265330, UTC))
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_two_secrets_make_two_signatures_while_one_takes_the_others_place() -> None:
    message = Message("id-1", '{"name":"Zoë"}'.encode())
    headers = signed_headers([SecretStr(SECRET), SecretStr(OTHER_SECRET)], message, AT)
    signed = f"id-1.{int(AT.timestamp())}.".encode() + message.body
    assert headers["webhook-signature"].split(" ") == [
        "v1,"
        + base64.b64encode(
            hmac.new(base64.b64decode(secret[6:]), signed, hashlib.sha256).digest()
        ).decode()
        for secret in (SECRET, OTHER_SECRET)
    ]


@pytest.mark.parametrize(
    ("status", "accepted", "refused", "busy"),
    [
        (200, True, False, False),
        (204, True, False, False),
        (302, False, False, False),  # never followed
        (400, False, True, False),
        (401, False, False, False),
        (404, False, False, False),
        (410, False, False, False),
        (422, False, True, False),
        (429, False, False, True),
        (500, False, False, False),
        (503, False, False, True),
        (None, False, False, False),
    ],
)
def test_answers_speak_of_the_update_or_of_the_endpoint(
    status: int | None, accepted: bool, refused: bool, busy: bool
) -> None:
    answer = Answer(status, "" if status else "no answer in time")
    assert (answer.is_accepted, answer.is_refused, answer.is_busy) == (accepted, refused, busy)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 0), ("7", 7), ("0", 0), ("-1", 0), ("²", 0), ("9" * 50, 300), ("Wed, 21 Oct", 0)],
)
def test_how_long_an_endpoint_wants_to_be_left_alone(header: str | None, seconds: float) -> None:
    assert retry_after_seconds(header) == seconds
