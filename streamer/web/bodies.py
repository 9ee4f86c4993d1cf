"""The body of a request, decompressed here: aiohttp answers in its own words where it cannot.

So servers of the API are to leave bodies as they are sent (``auto_decompress=False``).
"""

import zlib

from aiohttp import web

from streamer.web.problems import Problem

ENCODINGS = "gzip", "deflate"

GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
"""For zlib: the first bytes tell which of the two it is."""

GZIP = b"\x1f\x8b"

MEMBERS_MAX = 100
"""Of one gzip body: each costs a copy of what is left."""

BYTES_MAX = 1024 * 1024
"""Of a decompressed body, as aiohttp's of one that is sent as it is."""


async def body_of(request: web.Request) -> bytes:
    """Return the body of ``request``, decompressed.

    Raises:
        Problem: 400, it is not what its ``Content-Encoding`` says; 413, it is too long; 415, there
            is no such encoding here.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity", *ENCODINGS}:
        hint = f"send it as it is, or compressed by {' or '.join(ENCODINGS)}"
        raise Problem(415, hint, headers={"Accept-Encoding": ", ".join(ENCODINGS)})
    body = await request.read()
    if encoding not in ENCODINGS or not body:
        return body
    try:
        return _decompressed(body)
    except zlib.error:
        raise Problem(
            400, f"this is no {encoding}: compress it anew, or send it as it is"
        ) from None


def _decompressed(body: bytes) -> bytes:
    """Return what ``body`` holds: all of it, and no more than may be sent."""
    found = b""
    # Some senders of deflate leave its frame away, whose first byte tells the method.
    bare = body[:2] != GZIP and body[0] & 0xF != zlib.DEFLATED
    for _ in range(MEMBERS_MAX):
        one = zlib.decompressobj(-zlib.MAX_WBITS if bare else GZIP_OR_ZLIB)
        found += one.decompress(body, BYTES_MAX + 1 - len(found))
        if len(found) > BYTES_MAX:
            raise Problem(413, f"this is more than {BYTES_MAX:,} bytes: send it in parts")
        if not one.eof:
            raise zlib.error("cut off")
        body = one.unused_data
        if not body:
            return found
    raise zlib.error("too many members")
