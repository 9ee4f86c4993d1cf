"""The embedded broker most callers want: one node."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from streamer.broker.jvm import Options
from streamer.broker.node import START_SECONDS_MAX, KafkaNode, cluster_id
from streamer.broker.ports import free_ports
from streamer.broker.properties import Node
from streamer.broker.security import Security


class EmbeddedKafka:
    """A Kafka of one node, broker and controller in one; a context manager.

    Its data outlives it: another one made with the same `data_dir` finds the same topics.

    Args:
        data_dir: Where it keeps its data, configuration and logs; made if absent.
        port: Where clients connect; 0 chooses a free one, and keeps it over restarts of this
            object.
        host: The address it listens on and advertises.
        heap: The Java heap, as in -Xmx.
        java: The `java` command; None takes the machine's own if it is new enough, else the bundled
            one.
        fast_start: Compile less and so start sooner; False for measurements under load.
        die_with_parent: End it when this process ends, even by kill -9.
        properties: Settings of Kafka that win over those chosen here.
        security: How clients are known and what they may do; None lets everybody do everything.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        host: str = "127.0.0.1",
        heap: str = "512m",
        *,
        java: Path | None = None,
        fast_start: bool = True,
        die_with_parent: bool = True,
        properties: Mapping[str, str] | None = None,
        security: Security | None = None,
    ) -> None:
        chosen, controller_port = free_ports(host, 2)
        node = Node(node_id=1, host=host, port=port or chosen, controller_port=controller_port)
        options = Options(heap, java, fast_start, die_with_parent, properties or {}, security)
        self._node = KafkaNode(node, [node], data_dir, cluster_id(data_dir), options)

    @property
    def bootstrap(self) -> str:
        """The address for clients, HOST:PORT."""
        return self._node.node.bootstrap

    @property
    def pid(self) -> int:
        """The process id of the running broker."""
        return self._node.pid

    @property
    def log_file(self) -> Path:
        """Where it writes its warnings and errors."""
        return self._node.log_file

    def is_running(self) -> bool:
        """Tell whether the process is alive."""
        return self._node.is_running()

    def start(self, seconds_max: float = START_SECONDS_MAX) -> None:
        """Start the broker and wait until it serves clients.

        Raises:
            BrokerError: It could not be fetched or started; nothing is left running.
        """
        self._node.launch()
        try:
            self._node.wait_until_ready(seconds_max)
        except BaseException:  # Ctrl-C included
            self.kill()
            raise

    def wait(self) -> None:
        """Block until the process ends by itself."""
        self._node.wait()

    def stop(self) -> None:
        """Stop the broker in order. Does nothing if it does not run."""
        self._node.stop()

    def kill(self) -> None:
        """Stop the broker as a crash would, with SIGKILL."""
        self._node.kill()

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
