"""Small units of work wait for the commits under way, and for no more."""

import asyncio

import pytest

from streamer.engine import rounds
from streamer.engine.rounds import Rounds


async def test_who_finds_no_commit_under_way_does_not_wait() -> None:
    async with asyncio.timeout(1):
        await Rounds().turn()


async def test_who_waits_begins_together_when_the_last_commit_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "REST_SECONDS", 60)
    turns, begun = Rounds(), []

    async def partition(number: int) -> None:
        await turns.turn()
        begun.append(number)

    with turns.committing():
        with turns.committing():
            waiting = [asyncio.create_task(partition(number)) for number in range(3)]
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not begun
    await asyncio.gather(*waiting)
    assert sorted(begun) == [0, 1, 2]


async def test_a_commit_that_hangs_holds_nobody_up_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "REST_SECONDS", 0.001)
    turns = Rounds()
    with turns.committing():
        async with asyncio.timeout(10):
            await turns.turn()


async def test_a_commit_that_fails_is_over() -> None:
    turns = Rounds()
    with pytest.raises(OSError, match="gone"), turns.committing():
        raise OSError("gone")
    async with asyncio.timeout(1):
        await turns.turn()
