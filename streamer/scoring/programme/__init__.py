"""Programme measures (V16): retention, repeat purchase, order value, CLV, churn by month, cohort.

``members`` is what of a customer counts, ``groups`` which groups it is in, ``changes`` what of its
change, ``tallies`` the sums over customers, ``counting`` makes these of those, ``measures`` the
figures of the sums, ``telling`` these as they go over the wire. Every customer lives in one
partition, so numbers of distinct customers simply add up: no sketch is needed for them, and the
sums are exact.

``pipeline.counting`` keeps the sums of a partition, ``pipeline.programme`` adds those of all.

- ``since`` is ``first_month`` of the partition's time; as it moves on, ``Tallies.since`` drops what
  became too old. Sealing drops days of a row only of months before it (if the lateness is a day or
  more), so it does not matter.
- A group's sums are told whole, as JSON (those of a shop may pass 64 bits):
  ``{"cohorts": {"670": [2, 1, 5, 90000000, 0, 0, 0]}, "months": {"671": {"1": [1, 0, 1, 20000000,
  0]}}}``: by cohort the fields of ``Lifetime``, by month and age those of ``Activity``.
- A customer who changes groups takes along what it did in the months that are kept.
"""
