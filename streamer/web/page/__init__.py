"""The page: static files and their headers; all that it shows it asks of the API."""

from collections.abc import Awaitable, Callable
from importlib.resources import files

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.Response]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, nothing inline."""

HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".txt": "text/plain",
         ".svg": "image/svg+xml"}  # fmt: skip
FOLDERS = ("", "vendor")


def mount(router: web.UrlDispatcher) -> None:
    """Answer with the page at ``/``, and with its parts."""
    for folder in FOLDERS:
        for file in (files(__name__) / "static" / folder).iterdir():
            kind = KINDS.get("." + file.name.rpartition(".")[2])
            if kind is None or not file.is_file():
                continue
            path = (
                "/" if file.name == "index.html" else f"/page/{folder and folder + '/'}{file.name}"
            )
            router.add_get(path, _handler(file.read_bytes(), kind))


def _handler(body: bytes, kind: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)

    return answer
