"""Foreign records on their way in: adapted, and passed on to where their customers live."""

from typing import TYPE_CHECKING

from streamer.pipeline.unit import Message
from streamer.records.kafka import REKEYED, Headers, Record
from streamer.records.partitioning import partition_of
from streamer.serdes.adapters import ADAPTERS, adapt
from streamer.serdes.origins import Origin, encode_origin

if TYPE_CHECKING:
    from streamer.pipeline.intake import Intake
    from streamer.pipeline.unit import Configuration

OWN_HEADERS = "streamer."
"""Headers that begin so are ours, such as a replay's; others speak of the foreign value."""


class Adapting:
    """Turns foreign records into records of ``rekeyed``, in the transaction that reads them.

    One may hold events of many customers, and several of one; a row counts a record once. So each
    event becomes a record of its own there, with an offset of its own.
    """

    def __init__(self, configuration: "Configuration") -> None:
        self._decoder = configuration.decoder
        self._partitions = configuration.partitions
        self._rekeyed = configuration.topics[REKEYED]
        self._adapters = {
            configuration.topics[topic]: ADAPTERS[name]
            for topic, name in configuration.adapters.items()
        }
        self.topics = frozenset(self._adapters)
        """The topics of foreign records, by their whole names."""

    def take(self, record: Record, intake: "Intake", latest: int) -> None:
        """Pass on the events in ``record``; if one is at fault it becomes a dead letter too."""
        adapter = self._adapters[record.topic]
        events, fault = adapt(adapter, self._decoder, record, latest)
        kept = tuple(pair for pair in record.headers if pair[0].startswith(OWN_HEADERS))
        for value, event in events:
            if event.family == 0 and event.occurred_at > intake.log_time:
                intake.log_time = event.occurred_at
            key = event.customer_id.encode()
            message = Message(key, value, self._headers(record, kept, intake), record.timestamp)
            intake.unit.send(self._rekeyed, partition_of(key, self._partitions), message)
        if fault is not None:
            intake.refuse(record, fault)
        else:
            intake.unit.counts["adapted" if events else "ignored"] += 1

    def _headers(self, record: Record, kept: Headers, intake: "Intake") -> Headers:
        place = record.topic, record.partition, record.offset
        return (*kept, encode_origin(Origin(*place, intake.log_time)))
