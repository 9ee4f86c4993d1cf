import http.server
import threading
from collections.abc import Iterator

import pytest

from benchmarks import probe
from streamer.broker.ports import free_ports

EXPOSITION = """\
# HELP events_total Events
# TYPE events_total counter
events_total{topic="a"} 3.0
events_total{topic="b c"} 4e1
events_total_created 99.0
other_total 7.0
"""


class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(EXPOSITION.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metrics) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


def test_a_counter_is_summed_over_its_labels(port: int) -> None:
    assert probe.counter(port, "events_total") == 43
    assert probe.counter(port, "other_total") == 7
    assert probe.counter(port, "absent_total") == 0


def test_who_does_not_answer_has_no_count() -> None:
    assert probe.counter(free_ports("127.0.0.1", 1)[0], "events_total") is None
