"""Throughput and latency of streamer beside its peers and the read limit of the machine.

One run, one embedded Kafka, one input topic: so ratios mean something, though absolute figures
drift with the machine. READ `run` FIRST. The way of the figures: `source` writes the input,
`read_limit`, `throughput` and `latency` measure, `figures` condenses, `floors`
judges, `tables` and `picture` show.

A peer is one module in `contenders`: see the protocol there.
"""
