"""What an application tells the benchmark: how many events it has scored."""

import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer


class Progress:
    """Counts events, and answers to whoever asks at ``PEER_PORT``."""

    def __init__(self) -> None:
        self.scored = 0

    def serve(self, port: int = int(os.environ["PEER_PORT"])) -> None:
        """Answer from now on."""
        progress = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"peer_events_total %d\n" % progress.scored)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", port), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
