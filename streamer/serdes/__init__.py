"""Bytes to records and back. The only place that knows JSON, msgpack and their libraries."""

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises of bytes that are not what they should be."""
