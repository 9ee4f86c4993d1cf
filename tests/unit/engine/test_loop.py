"""A connection that is lost while one writes to it is an error of Kafka's, on uvloop too."""

import asyncio
import socket
import struct

import uvloop
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from streamer.engine import loop

RESET_AT_CLOSE = struct.pack("ii", 1, 0)


def test_writing_to_a_lost_connection_says_so() -> None:
    policy = asyncio.get_event_loop_policy()
    try:
        loop.install()
        uvloop.run(write_until_it_is_lost())
    finally:
        asyncio.set_event_loop_policy(policy)
        AIOKafkaConnection.send, AIOKafkaConnection.close = loop._send, loop._close


async def write_until_it_is_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection, peer = await connected(server)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        peer.close()
        errors = []
        for _ in range(5):  # without a pause for the reader, who would see the loss too
            try:
                connection.send(MetadataRequest([])).close()
            except Exception as error:  # noqa: BLE001 - which one it is, is the question
                errors.append(error)
            await asyncio.sleep(0)
    assert errors
    assert all(isinstance(error, KafkaConnectionError) for error in errors)
    assert not connection.connected()


async def connected(server: socket.socket) -> tuple[AIOKafkaConnection, socket.socket]:
    """Return a connection past its handshake, and the other end of it."""
    running = asyncio.get_running_loop()
    connection = AIOKafkaConnection("127.0.0.1", server.getsockname()[1])
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await running.create_connection(
        lambda: protocol, connection.host, connection.port
    )
    connection._versions = {MetadataRequest.API_KEY: (0, 1)}
    connection._closed_fut = running.create_future()
    connection._reader = reader
    connection._writer = asyncio.StreamWriter(transport, protocol, reader, running)
    connection._read_task = running.create_task(reader.read())
    return connection, server.accept()[0]
