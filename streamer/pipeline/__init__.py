"""READ THIS FIRST: decode → fold → score → encode, for one partition, pure.

Live, replay and tests run this very code. It reads no clock and does no I/O: a shell gives a
``Partition`` records and the time to ``begin`` with, has the scores made that this asks for
(``scored``), and with ``finish`` gets a ``UnitOfWork``, all that must be written in one
transaction. Only when that is written does the shell call ``commit``; if it cannot be, it drops the
partition and loads it anew from the changelog. Scores are a matter of rows alone, and many cost
little more than one: so those of several partitions may be made by one call, while each unit is
written by itself.

What a unit of work does, in this order (see ``work``):

1. Each record is decoded and checked, or becomes a dead letter. One that belongs to another
   partition is passed on through ``rekeyed`` (see ``intake``).
2. Each event is folded into its customer's row. Referrals tell other rows of it by messages.
3. Silence is told of up to the partition's time: customers whose risk band rose by then.
4. After a new model, some of those last scored by an older one are scored anew.
5. Each customer concerned is scored once, at its latest instant (with ``every_event``: each time),
   all together (see ``scores``), and what has changed by it is announced (see ``announcing``).

Beside that, each partition counts its customers for the figures of the whole shop: ``counting``
for its share, ``programme`` for what the shares of all of them make; and where it is asked for,
``index`` keeps them at hand for whoever searches.
"""

from streamer.pipeline.announcing import Book
from streamer.pipeline.partition import Partition
from streamer.pipeline.programme import Shop
from streamer.pipeline.scores import Asked, scored
from streamer.pipeline.unit import Configuration, Message, UnitOfWork
from streamer.pipeline.work import Work

__all__ = [
    "Asked",
    "Book",
    "Configuration",
    "Message",
    "Partition",
    "Shop",
    "UnitOfWork",
    "Work",
    "scored",
]
