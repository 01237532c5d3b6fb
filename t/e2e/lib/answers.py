"""A small HTTP server that says whether certificates are revoked."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lib.ports import free_port


class Answers:
    """
    Served at url from serve() on. What is asked and answered is of those that
    derive from it: heard() and told() are called before and after an answer.
    """

    TYPE = None                     # of what is answered

    def __init__(self):
        self.port = free_port()
        self._gate = threading.Event()
        self._gate.set()
        self._server = None

    def heard(self, body):
        """A question has come (a GET: without a body)."""

    def answer(self, body):
        """The octets that are sent."""
        raise NotImplementedError

    def told(self, body):
        """The answer has been sent."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def serve(self):
        answers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._do(b"")

            def do_POST(self):
                self._do(self.rfile.read(int(self.headers["Content-Length"])))

            def _do(self, body):
                answers.heard(body)
                answers._gate.wait()
                answer = answers.answer(body)
                self.send_response(200)
                self.send_header("Content-Type", answers.TYPE)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                answers.told(body)

            def log_message(self, *_arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever,
                         daemon=True).start()
        return self

    def end(self):
        self._gate.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    def hold(self):
        """Questions wait from now on."""
        self._gate.clear()

    def release(self):
        self._gate.set()
