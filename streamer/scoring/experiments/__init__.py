"""Experiments (V18): did an arm really move order value, retention and lifetime value?

``sums`` holds all that is kept of an arm: exact whole numbers that are added over customers and
partitions. Everything else follows from them: ``means``, ``rates``, ``ratios`` and ``adjusted``
(CUPED) give a difference and its standard error; ``sequential`` an interval that holds however
often it is looked at; ``sample_ratio`` whether the arms came to the sizes they should have;
``readout`` all of it as one record, for a plan of ``plans``; ``telling`` that as it goes over the
wire. ``observing`` makes a customer's part in the sums of its row, which remembers the first arm of
each experiment and the instant of the exposure.

``pipeline.counting`` keeps the sums of a partition, ``pipeline.programme`` adds those of all.
"""
