"""Free TCP ports."""

import random
import socket

from streamer.broker.errors import BrokerError

# Below the range from which the kernel numbers outgoing connections. A port inside it may be taken
# by any client while the broker restarts, even by the one that is trying to reach it: TCP lets a
# socket connect to itself.
_PORTS = range(20_000, 32_000)


def free_ports(host: str, count: int) -> list[int]:
    """Return different ports on which nothing listens just now.

    Raises:
        BrokerError: There are not as many.
    """
    found: list[int] = []
    # Random, so that two processes looking at the same time hardly ever choose the same ones.
    for port in random.sample(_PORTS, len(_PORTS)):
        if len(found) == count:
            break
        if is_free(host, port):
            found.append(port)
    if len(found) < count:
        raise BrokerError(f"No {count} free ports were found on {host}: name one with --port.")
    return found


def is_free(host: str, port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket() as probe:
        # As Kafka does it; without this the port of a broker just stopped counts as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
