"""A partition's state on this machine's disk, so that a restart reads only the changelog's end.

The changelog stays the truth. What is here is what it said up to some place, and perhaps somewhat
more: written only behind a transaction's commit, each batch with the place up to which it is
complete. So whoever reads the changelog on from that place has what it says, whatever was lost on
the way: ``database`` writes batches whole or not at all, ``tables`` is what the pipeline sees,
``store`` knows the place and whether it is still one of this log. RocksDB is loaded by those two
only: who keeps rows in memory needs none.
"""
