"""The row of a customer and the fold of events into it. Pure: no clock, no I/O."""
