"""Several Kafka nodes on one machine, to see what happens when one of them fails."""

from pathlib import Path
from types import TracebackType
from typing import Self

from streamer.broker.jvm import Options
from streamer.broker.node import START_SECONDS_MAX, KafkaNode, cluster_id
from streamer.broker.ports import free_ports
from streamer.broker.properties import Node


class EmbeddedCluster:
    """A Kafka of several nodes, each broker and controller; a context manager.

    Topics have a replica on each node, on three at most.

    Args:
        data_dir: Where the nodes keep their data, each in a folder of its own.
        size: How many nodes; a majority of them must run.
        host: The address they listen on and advertise.
        options: How each of them is run.
    """

    def __init__(
        self,
        data_dir: Path,
        size: int = 3,
        host: str = "127.0.0.1",
        options: Options | None = None,
    ) -> None:
        ports = free_ports(host, 2 * size)
        quorum = [
            Node(node_id=number, host=host, port=ports.pop(), controller_port=ports.pop())
            for number in range(1, size + 1)
        ]
        self.nodes = [
            KafkaNode(
                node,
                quorum,
                data_dir / f"node-{node.node_id}",
                cluster_id(data_dir),
                options or Options(),
            )
            for node in quorum
        ]

    @property
    def bootstrap(self) -> str:
        """The addresses for clients, separated by commas."""
        return ",".join(member.node.bootstrap for member in self.nodes)

    def start(self, seconds_max: float = START_SECONDS_MAX) -> None:
        """Start all nodes that do not run, and wait until they serve clients.

        Raises:
            BrokerError: A node could not be started; nothing is left running.
        """
        try:
            # All before the first is waited for: no node is ready without a majority.
            for member in self.nodes:
                if not member.is_running():
                    member.launch()
            for member in self.nodes:
                member.wait_until_ready(seconds_max)
        except BaseException:  # Ctrl-C included
            for member in self.nodes:
                member.kill()
            raise

    def stop(self) -> None:
        """Stop all nodes."""
        for member in self.nodes:
            member.terminate()
        for member in self.nodes:
            member.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
