"""Experiments (V18): did an arm really move order value, retention and lifetime value?

``sums`` holds all that is kept of an arm: exact whole numbers that are added over customers and
partitions. Everything else follows from them: ``means``, ``rates``, ``ratios`` and ``adjusted``
(CUPED) give a difference and its standard error; ``sequential`` an interval that holds however
often it is looked at; ``sample_ratio`` whether the arms came to the sizes they should have;
``readout`` all of it as one record.

How it is meant to be wired:

- A customer's row remembers the first arm of each experiment and the instant of the exposure, so a
  customer counts in one arm only. What it then adds to the arm is an ``Observation``, a function of
  the row; a change of the row changes the partition's sums by ``sums_of(after) - sums_of(before)``,
  whatever the size of the base. As in ``programme``, that can be put off for a few seconds and done
  once for many events of a customer.
- The sums of a partition are a function of its rows, so recovery counts them again in the pass that
  sets the timers, and a checkpoint need not hold them.
- On the compacted topic there is one record for each partition, experiment and arm, keyed by these
  three: the whole sums as JSON (its numbers may pass 64 bits). Written again, a record replaces
  itself, so nothing is counted twice. Whoever publishes the readout adds the last record of each
  partition: ``sum(partials, ArmSums())``.
"""
