"""Programme measures (V16): retention, repeat purchase, order value, CLV, churn by month, cohort.

``members`` is what of a customer counts, ``changes`` what of its change, ``tallies`` the sums over
customers, ``counting`` makes these of those, ``measures`` the figures of the sums. Every customer
lives in one partition, so numbers of distinct customers simply add up: no sketch is needed for
them, and the sums are exact.

How it is meant to be wired:

- A unit of work does next to nothing: when it is committed, the partition remembers of each
  customer touched the row's bytes as they were when last counted (``pending.setdefault``), and that
  is all. Every few seconds, or when some thousands are pending, ``member_of`` of the remembered and
  of the present row give the change of each, and ``changed(changes, since)`` is added to the
  partition's tallies. Many events of a customer are one change; the cost is that of the customers
  touched, about 10 µs each, whatever the size of the base.
- ``since`` is ``first_month`` of stream time's day; as it moves on, ``Tallies.since`` drops what
  became too old. Sealing drops days of a row only of months before it (if the lateness is a day or
  more), so it does not matter.
- The tallies of a partition are a function of its rows: recovery makes them anew by
  ``changed(((None, member), …), since)`` in the pass that sets the timers. They need no place in
  the checkpoint, and a crash cannot make them differ from the rows. For that a row has to tell its
  customer's groups and the lifetime value published last.
- To the compacted topic goes one record for each partition and group whose ``Tally`` has changed,
  whole, as JSON (sums of a shop may pass 64 bits). Its key is ``3|segment:lapsed``: partition and
  group. Its value is ``{"cohorts": {"670": [2, 1, 5, 90000000, 0, 0, 0]}, "months": {"671": {"1":
  [1, 0, 1, 20000000, 0]}}}``: by cohort the fields of ``Lifetime``, by month and age those of
  ``Activity``. A record replaces the last of its key, so nothing is counted twice; of an empty
  group it is a tombstone.
- Who publishes ``programme-measures`` adds the last records of all partitions, group by group
  (``Tally.__add__``), cuts the sum at the shop's time (``Tally.since``), as partitions may be
  behind, and publishes ``measures_of`` it. It needs no state of its own.

Groups are texts that the caller chooses, such as ``segment:lapsed`` and ``channel:email``; everyone
is in ``ALL``. A customer who changes groups takes along what it did in the months that are kept.
"""
