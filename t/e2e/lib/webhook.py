"""A receiver of webhooks, which verifies their signature."""

import hashlib
import hmac
import http.server
import threading
import time


class Receiver(http.server.ThreadingHTTPServer):
    """Answers as it is set to, and keeps what came."""

    def __init__(self, context=None):
        super().__init__(("127.0.0.1", 0), Handler)
        scheme = "http"
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://localhost:{self.server_port}/hook/T0K3N"
        self.seen = []
        self.answer = 204, {}, b""
        self.hang = threading.Event()
        self.hang.set()
        self.drip = threading.Event()       # cleared: half a body comes
        self.drip.set()
        threading.Thread(target=self.serve_forever, args=(.05,)).start()

    def handle_error(self, *_):
        """A client that does not trust us is no news."""

    def end(self):
        self.hang.set()
        self.drip.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.headers, body))
        self.server.hang.wait()
        status, headers, text = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        half = len(text) // 2
        self.wfile.write(text[:half])
        self.server.drip.wait()
        self.wfile.write(text[half:])

    do_GET = do_POST

    def log_message(self, *_):
        pass


def is_signed(headers, body, secret, patience=300):
    """As the manual tells a receiver to do it."""
    fields = dict(part.split("=", 1)
                  for part in headers["Mod-Acme-Signature"].split(","))
    mac = hmac.new(secret.encode(), f"{fields['t']}.".encode() + body,
                   hashlib.sha256).hexdigest()
    return hmac.compare_digest(mac, fields["v1"]) \
        and abs(time.time() - int(fields["t"])) <= patience
