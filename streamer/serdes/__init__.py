"""Bytes to records and back. The only place that knows JSON, msgpack and their libraries."""
