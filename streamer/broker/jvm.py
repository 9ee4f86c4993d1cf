"""The command lines that run Kafka's programs on a Java virtual machine."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from streamer.broker.security import Security

_FAST_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# The collector that Kafka's own start script chooses.
_FULL_SPEED = ("-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35")


@dataclass(frozen=True, slots=True)
class Options:
    """How a node is run; the same for all nodes of a cluster.

    Attributes:
        heap: The Java heap, as in -Xmx.
        java: The `java` command; None takes the machine's own if new enough, else the bundled one.
        fast_start: Compile less and so start sooner. For measurements set it to False: the full
            compiler needs load to warm up on, and is faster from then on.
        die_with_parent: End the node when this process ends, even by kill -9.
        properties: Settings of Kafka that win over those chosen here.
        security: How clients are known and what they may do; None lets everybody do everything.
    """

    heap: str = "512m"
    java: Path | None = None
    fast_start: bool = True
    die_with_parent: bool = True
    properties: Mapping[str, str] = field(default_factory=dict)
    security: Security | None = None


def java_command(
    java: Path,
    class_path: Sequence[Path],
    main_class: str,
    arguments: Sequence[str | Path],
    *,
    options: Options,
    log4j_file: Path,
) -> list[str]:
    """Return the command that runs a class of Kafka's with a Log4j configuration."""
    return [
        str(java),
        f"-Xmx{options.heap}",
        *(_FAST_START if options.fast_start else _FULL_SPEED),
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={log4j_file}",
        "-cp",
        os.pathsep.join(map(str, class_path)),
        main_class,
        *map(str, arguments),
    ]
