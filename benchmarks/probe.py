"""Reads a counter of a worker's Prometheus metrics while it works."""

import urllib.error
import urllib.parse
import urllib.request

_TIMEOUT_SECONDS = 5.0
# Whatever proxy the environment names, the worker is on this machine.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def counter(port: int, name: str) -> float | None:
    """Return the sum of a counter's series, or None as long as the worker does not answer."""
    try:
        # All of them cost a worker some milliseconds, several times a second.
        query = urllib.parse.urlencode({"name[]": name})
        url = f"http://127.0.0.1:{port}/metrics?{query}"
        with _open(url, timeout=_TIMEOUT_SECONDS) as answer:
            return total(answer.read().decode(), name)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def total(exposition: str, name: str) -> float:
    r"""Return the sum of all series of one metric in Prometheus's text format.

    >>> total('a_total{topic="x"} 1.0\na_total{topic="y"} 2.0\na_total_bytes 9.0', "a_total")
    3.0
    """
    lines = (line.rpartition(" ") for line in exposition.splitlines())
    return sum(float(value) for series, _, value in lines if series.partition("{")[0] == name)
