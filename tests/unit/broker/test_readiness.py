import socket
import struct
import threading

import pytest

from streamer.broker import readiness

HOST = "127.0.0.1"


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        (struct.pack(">iih", 6, 1, 0), True),
        (struct.pack(">iih", 6, 1, 35), False),
        (struct.pack(">iih", 6, 7, 0), False),
        (b"HTTP", False),
        (b"", False),
    ],
)
def test_only_an_answer_without_error_counts(answer: bytes, ready: bool) -> None:
    with socket.create_server((HOST, 0)) as server:
        server_thread = threading.Thread(target=_answer_once, args=(server, answer))
        server_thread.start()
        assert readiness.answers(HOST, server.getsockname()[1]) is ready
        server_thread.join()


def _answer_once(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        assert len(connection.recv(64)) == 14
        connection.sendall(answer)


def test_nobody_listening_is_not_ready() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
    assert not readiness.answers(HOST, port)
