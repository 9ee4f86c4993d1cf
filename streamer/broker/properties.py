"""The text of the files that configure a node: `server.properties` and the Log4j configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamer.broker.security import Security

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
"""The largest record batch that the broker takes; a topic may allow less."""


@dataclass(frozen=True, slots=True)
class Node:
    """One Kafka process, broker and controller in one.

    Attributes:
        node_id: Its number, unique in the quorum.
        host: The address it listens on and advertises.
        port: Where clients connect.
        controller_port: Where the other nodes of the quorum connect.
    """

    node_id: int
    host: str
    port: int
    controller_port: int

    @property
    def bootstrap(self) -> str:
        """The address for clients, HOST:PORT."""
        return f"{self.host}:{self.port}"

    @property
    def voter(self) -> str:
        """The node as a voter of the controller quorum, ID@HOST:PORT."""
        return f"{self.node_id}@{self.host}:{self.controller_port}"


def server_properties(
    node: Node,
    quorum: Sequence[Node],
    log_dir: Path,
    overrides: Mapping[str, str],
    security: Security | None = None,
) -> dict[str, str]:
    """Return the settings of one node of a quorum; `overrides` win."""
    return {
        **_identity(node, quorum, log_dir, security.protocol if security else "PLAINTEXT"),
        **(security.properties() if security else {}),
        **_durability(brokers=len(quorum)),
        **_LIMITS,
        **_SMALL_MACHINE,
        **overrides,
    }


def properties_text(settings: Mapping[str, str]) -> str:
    """Write settings in the format of Java's properties files, one a line."""
    # A backslash escapes in that format.
    return "".join(f"{key}={value}\n".replace("\\", "\\\\") for key, value in settings.items())


def log4j_text(log_file: Path) -> str:
    """Return a Log4j configuration that writes warnings and errors to one bounded file."""
    return properties_text(
        {
            "rootLogger.level": "warn",
            "rootLogger.appenderRef.file.ref": "file",
            "appender.file.name": "file",
            "appender.file.type": "RollingFile",
            "appender.file.fileName": str(log_file),
            "appender.file.filePattern": f"{log_file}.%i",
            "appender.file.layout.type": "PatternLayout",
            "appender.file.layout.pattern": "%d{ISO8601} %-5p %c{1}: %m%n",
            "appender.file.policies.type": "Policies",
            "appender.file.policies.size.type": "SizeBasedTriggeringPolicy",
            "appender.file.policies.size.size": "10MB",
            "appender.file.strategy.type": "DefaultRolloverStrategy",
            "appender.file.strategy.max": "2",
        }
    )


def _identity(node: Node, quorum: Sequence[Node], log_dir: Path, protocol: str) -> dict[str, str]:
    clients = f"{protocol}://{node.bootstrap}"
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.node_id),
        "controller.quorum.voters": ",".join(voter.voter for voter in quorum),
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{clients},CONTROLLER://{node.host}:{node.controller_port}",
        "advertised.listeners": clients,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(log_dir),
    }


def _durability(brokers: int) -> dict[str, str]:
    replicas = str(min(brokers, 3))
    in_sync_min = str(min(brokers, 2))
    return {
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync_min,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync_min,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync_min,
        # Retention goes by the records' own time, and demos and backtests send events of past
        # years: Kafka's default of seven days would delete them while they are being read.
        "log.retention.ms": "-1",
    }


_LIMITS = {
    "message.max.bytes": str(MESSAGE_BYTES_MAX),
    "replica.fetch.max.bytes": str(MESSAGE_BYTES_MAX),
    # A misspelt topic must fail, not come to be with the wrong number of partitions.
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    # After kill -9 a node waits until its former self counts as gone; Kafka's default is 9 s.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
}

_SMALL_MACHINE = {
    "num.partitions": "4",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "8",
    "share.coordinator.state.topic.num.partitions": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    # The cleaner's map, 128 MB of the heap by default.
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
}
