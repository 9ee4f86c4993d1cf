"""The consumer's thread, beside the worker's."""

import asyncio
from unittest.mock import Mock

from streamer.engine.transport import FetchConsumerThread


def told_to_stop(loop: asyncio.AbstractEventLoop) -> Mock:
    """Return the event of the thread of ``loop`` after it was told to stop."""
    thread = object.__new__(FetchConsumerThread)
    thread.thread_loop = loop
    thread._stopped = Mock()
    thread._stopped_set()
    return thread._stopped


async def test_a_thread_is_told_to_stop() -> None:
    stopped = told_to_stop(asyncio.get_running_loop())
    await asyncio.sleep(0)
    stopped.set.assert_called_once()


def test_a_thread_that_ended_by_itself_is_told_nothing() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    told_to_stop(loop).set.assert_not_called()
