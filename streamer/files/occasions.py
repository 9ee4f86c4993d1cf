"""Purchase occasions of a file: which customer bought for how much on which day.

The events are decoded as everywhere in streamer: what is a dead letter there is refused here too,
counted by its reason, and an event that comes twice counts once. Two rules of the stream do not
apply to a file that is read whole: no event is late, and none lies in the future.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from streamer.files.errors import FileError
from streamer.files.layout import USUAL, Layout
from streamer.files.reading import read_lines
from streamer.records.dead_letters import Rejected
from streamer.records.events import Purchase
from streamer.records.instants import DAY
from streamer.records.money import UNIT
from streamer.serdes.events import EventDecoder

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class PurchaseOccasions(Struct, frozen=True):
    """Days on which customers bought: n customers, m occasions sorted by customer and day."""

    customer_id: NDArray[np.object_]
    """Shape (n,), in the order in which the events name them."""
    customer: Integers
    """Shape (m,): index into ``customer_id``; each is there at least once."""
    day: Integers
    """Shape (m,): UTC day, in days since 1970-01-01."""
    value: Floats
    """Shape (m,): sum of the day's amounts in the reporting currency; refunds do not lessen it."""
    refused: Mapping[str, int]
    """Events that are dead letters, by reason."""


def read_occasions(
    file: str, decoder: EventDecoder | None = None, layout: Layout = USUAL
) -> PurchaseOccasions:
    """Read the purchase occasions of a file of events or transactions; others are passed over.

    Args:
        file: its name; ``-`` is standard input.
        decoder: of the shop's settings; by default money is US dollars.
        layout: how a table writes what it says.

    Raises:
        FileError: the file cannot be read as it stands, and it names the line; or it holds no
            purchase that counts.
    """
    decoder = decoder or EventDecoder()
    lines = read_lines(file, decoder.reporting_currency, layout)
    occasions = occasions_of(lines, decoder)
    if not occasions.day.size:
        raise FileError(file, _why_nothing(occasions.refused))
    return occasions


def _why_nothing(refused: Mapping[str, int]) -> str:
    if not refused:
        return "there is no purchase in it"
    counts = ", ".join(f"{count:,} {reason}" for reason, count in refused.items())
    said = f"no purchase in it counts; refused: {counts}"
    if "unknown_currency" not in refused:
        return said
    return f"{said}; set STREAMER_REPORTING_CURRENCY to its currency, or a rate in STREAMER_RATES"


def occasions_of(values: Iterable[bytes], decoder: EventDecoder) -> PurchaseOccasions:
    """Return the purchase occasions among events in any order, as they are on the wire."""
    codes: dict[str, int] = {}
    customers, days, amounts, hashes = array("q"), array("q"), array("q"), array("Q")
    refused: Counter[str] = Counter()
    decode = decoder.decode
    for value in values:
        try:
            event = decode(value)
        except Rejected as rejected:
            refused[rejected.reason] += 1
            continue
        if type(event) is Purchase:
            code = codes.setdefault(event.customer_id, len(codes))
            customers.append(code)
            days.append(event.occurred_at // DAY)
            amounts.append(event.amount)
            # Ids are a customer's own: another's event may have the same one.
            hashes.append(xxh3_64_intdigest(event.event_id.encode(), code))
    first_comers = np.unique(np.frombuffer(hashes, np.uint64), return_index=True)[1]
    customer, day, value_sums = _by_day(
        np.frombuffer(customers, np.int64)[first_comers],
        np.frombuffer(days, np.int64)[first_comers],
        np.frombuffer(amounts, np.int64)[first_comers],
    )
    names = np.fromiter(codes, dtype=object, count=len(codes))
    return PurchaseOccasions(names, customer, day, value_sums, dict(refused))


def _by_day(
    customers: Integers, days: Integers, amounts: Integers
) -> tuple[Integers, Integers, Floats]:
    """Put the purchases of one customer and day together."""
    length = int(days.max(initial=0)) + 1
    keys, occasion = np.unique(customers * length + days, return_inverse=True)
    sums = np.bincount(occasion, amounts / UNIT, minlength=len(keys))
    return keys // length, keys % length, sums.astype(np.float64)
