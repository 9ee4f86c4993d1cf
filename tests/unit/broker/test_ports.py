import socket

import pytest

from streamer.broker import BrokerError, ports

HOST = "127.0.0.1"


def test_free_ports_differ_and_are_free() -> None:
    found = ports.free_ports(HOST, 6)
    assert len(set(found)) == 6
    assert all(ports.is_free(HOST, port) for port in found)


def test_a_port_that_is_listened_on_is_not_free() -> None:
    with socket.create_server((HOST, 0)) as server:
        assert not ports.is_free(HOST, server.getsockname()[1])


def test_no_free_port_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda host, port: False)
    with pytest.raises(BrokerError, match="--port"):
        ports.free_ports(HOST, 1)
