"""A real Apache Kafka in KRaft mode without Docker, for demos, tests and benchmarks.

The broker is Kafka itself, not an imitation: `jars` fetches it once by locked checksums, `java`
finds a Java to run it (or the one that comes in a wheel), `server` runs one node, `cluster`
several.
"""

from streamer.broker.cluster import EmbeddedCluster
from streamer.broker.errors import BrokerError
from streamer.broker.security import Security
from streamer.broker.server import EmbeddedKafka

__all__ = ["BrokerError", "EmbeddedCluster", "EmbeddedKafka", "Security"]
