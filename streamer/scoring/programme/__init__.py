"""Programme measures (V16): retention, repeat purchase, order value, CLV, churn by month, cohort.

``members`` is what of a customer counts, ``tallies`` the sums over customers, ``counting`` makes
the second of the first, ``measures`` the figures of the sums. Every customer lives in one
partition, so numbers of distinct customers simply add up: no sketch is needed for them, and the
sums are exact.

How it is meant to be wired:

- A unit of work takes ``member_of(row)`` of each row it touches before the first fold and again
  after the last, *before the row is sealed* (sealing drops days), and adds ``changed(before, after,
  since)`` to its partition's tallies when it is committed. The cost is that of the customers
  touched. ``since`` is ``first_month(stream time's day)``; as it moves on, ``Tallies.since`` drops
  what became too old.
- The tallies of a partition are a function of its rows: recovery makes them anew by
  ``changed([], members, since)`` in the pass that sets the timers. They need no place in the
  checkpoint, and a crash cannot make them differ from the rows. For that a row has to tell its
  customer's groups and the lifetime value published last.
- To the compacted topic goes one record for each partition and group, keyed by both: the whole of
  its ``Tally`` as JSON (sums of a shop may pass 64 bits), whenever it has changed, but not oftener
  than every few seconds. A record replaces the last of its key, so nothing is counted twice; a
  group that is empty again is a tombstone.
- Who publishes ``programme-measures`` adds the last records of all partitions, group by group
  (``Tally.__add__``), cuts the sum at the shop's time (``Tally.since``), as partitions may be
  behind, and publishes ``measures_of`` it. It needs no state of its own.

Groups are texts that the caller chooses, such as ``segment:lapsed`` and ``channel:email``; everyone
is in ``ALL``. A customer who changes groups takes along what it did in the months that are kept.
"""
