"""Tries at a real receiver; pauses are none, so that no test waits."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import trustme

from streamer.endpoints import Endpoint
from streamer.settings import Settings
from streamer.webhooks import delivery as module
from streamer.webhooks.delivery import Delivery, GivenUpError
from streamer.webhooks.health import DOWN_AFTER, Health
from streamer.webhooks.messages import Message
from streamer.webhooks.posting import client, post
from tests.support.receiver import SECRET, Receiver

ATTEMPTS_MAX = 3


@pytest_asyncio.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    monkeypatch.setattr(module, "backoff_seconds", lambda failures: 0.0)
    monkeypatch.setattr(Health, "pause_seconds", 0.0)
    async with Receiver() as one:
        yield one


def endpoint_at(url: str) -> Endpoint:
    (endpoint,) = Settings(webhook_urls={"crm": url}, webhook_secrets={"crm": SECRET}).endpoints
    return endpoint


def message(name: str) -> Message:
    return Message(name, b'{"type":"x","timestamp":"","data":{"customer_id":"%b"}}' % name.encode())


async def deliver(receiver: Receiver, *names: str) -> dict[str, BaseException | None]:
    """Deliver side by side; return what became of each."""
    async with client(timeout_seconds=60) as http:  # never reached: no request of a test hangs
        delivery = Delivery(http, endpoint_at(receiver.url), ATTEMPTS_MAX)
        done = await asyncio.gather(
            *(delivery.deliver(message(name)) for name in names), return_exceptions=True
        )
    return dict(zip(names, done, strict=True))


async def test_what_is_refused_is_given_up_after_the_last_try(receiver: Receiver) -> None:
    async def mood(id_: str, data: dict[str, Any], time: int) -> int:
        return 422 if id_ == "bad" else 200

    receiver.mood = mood
    done = await deliver(receiver, "good", "bad")
    assert done["good"] is None
    assert isinstance(done["bad"], GivenUpError)
    assert str(done["bad"]) == "crm answered 3 times: 422 Unprocessable Entity"
    assert [one.id for one in receiver.requests].count("bad") == ATTEMPTS_MAX


async def test_what_makes_the_receiver_fail_is_given_up_while_others_are_taken(
    receiver: Receiver,
) -> None:
    async def mood(id_: str, data: dict[str, Any], time: int) -> int:
        return 500 if id_ == "bad" else 200

    receiver.mood = mood
    async with client(timeout_seconds=60) as http:  # never reached: no request of a test hangs
        delivery = Delivery(http, endpoint_at(receiver.url), ATTEMPTS_MAX)
        bad = asyncio.create_task(delivery.deliver(message("bad")))
        for number in range(1_000):
            await delivery.deliver(message(f"good-{number}"))
            if bad.done():
                break
        assert isinstance(bad.exception(), GivenUpError)


async def test_an_outage_costs_no_try(receiver: Receiver) -> None:
    """However long it lasts: each is tried far more often than tries may be lost."""
    outage = 20 * ATTEMPTS_MAX

    async def mood(id_: str, data: dict[str, Any], time: int) -> int:
        return 500 if len(receiver.requests) < outage else 200

    receiver.mood = mood
    names = [f"m{number}" for number in range(2 * DOWN_AFTER)]
    assert set((await deliver(receiver, *names)).values()) == {None}
    assert len(receiver.requests) == outage + len(names)


async def test_while_it_is_down_it_is_asked_by_one_at_a_time(receiver: Receiver) -> None:
    messages = 3 * DOWN_AFTER
    first, last = 2 * messages, 5 * messages  # each may have a request under way when it goes down
    at_once = most = 0

    async def mood(id_: str, data: dict[str, Any], time: int) -> int:
        nonlocal at_once, most
        is_known_down = first < len(receiver.requests) < last
        at_once += is_known_down
        await asyncio.sleep(0.002)
        most = max(most, at_once)
        at_once -= is_known_down
        return 500 if len(receiver.requests) < last else 200

    receiver.mood = mood
    await deliver(receiver, *(f"m{number}" for number in range(messages)))
    assert most == 1
    assert len({one.id for one in receiver.requests[first:last]}) > 1, "they take turns"


async def test_a_busy_receiver_is_waited_for(receiver: Receiver) -> None:
    async def mood(id_: str, data: dict[str, Any], time: int) -> int:
        return 429 if id_ == "later" and time <= 2 * ATTEMPTS_MAX else 200

    receiver.mood = mood
    done = await deliver(receiver, "later", *(f"m{number}" for number in range(30)))
    assert set(done.values()) == {None}


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    async with Receiver() as elsewhere:

        async def mood(id_: str, data: dict[str, Any], time: int) -> int:
            return 307

        receiver.mood = mood
        receiver.headers = {"Location": elsewhere.url}
        async with client(timeout_seconds=1) as http:
            answer = await post(http, endpoint_at(receiver.url), message("m"))
        assert answer.status == 307
        assert not answer.is_accepted
        assert elsewhere.requests == []


async def test_a_receiver_that_hangs_or_is_not_there_is_told_of(receiver: Receiver) -> None:
    async def mood(id_: str, data: dict[str, Any], time: int) -> int:
        await asyncio.sleep(5)
        return 200

    receiver.mood = mood
    async with client(timeout_seconds=0.1) as http:
        slow = await post(http, endpoint_at(receiver.url), message("m"))
        assert str(slow) == "no answer in time"
        await receiver.close()
        gone = await post(http, endpoint_at(receiver.url), message("m"))
    assert "t0ken" not in str(gone)
    assert gone.status is None
    assert str(gone)


async def test_a_receiver_whose_certificate_nobody_vouches_for_is_told_nothing(
    receiver: Receiver,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    await receiver.close()
    await receiver.open(context)
    async with client(timeout_seconds=5) as http:
        url = receiver.url.replace("http:", "https:")
        answer = await post(http, endpoint_at(url), message("m"))
    assert answer.status is None
    assert "certificate is not to be trusted" in str(answer)
    assert "t0ken" not in str(answer)
    assert receiver.requests == []
