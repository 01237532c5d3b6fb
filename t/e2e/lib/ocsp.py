"""An OCSP responder for a pebble, whose certificates name it."""

import datetime
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from lib.ports import free_port
from lib.tls import DAY

TYPE = "application/ocsp-response"


def asked_about(body):
    """The serial in a question."""
    return ocsp.load_der_ocsp_request(body).serial_number


class Responder:
    """
    Made before its CA, which is told by its url; start(ca) when that runs.

    revoked: serials; all others are good. sign_with: "issuer", "another" (a
    key that may not), "nothing" (a signature that does not hold); reply: what
    is sent instead of any answer, as octets.
    """

    def __init__(self):
        self.port = free_port()
        self.revoked = set()
        self.sign_with = "issuer"
        self.reply = None
        self.asked = []             # serials, in order
        self.answered = []
        self._ca = None
        self._gate = threading.Event()
        self._gate.set()
        self._server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, ca):
        self._ca = ca
        responder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = responder.answer(body)
                self.send_response(200)
                self.send_header("Content-Type", TYPE)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                responder.answered.append(asked_about(body))

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

    def answer(self, body):
        question = ocsp.load_der_ocsp_request(body)
        self.asked.append(asked_about(body))
        self._gate.wait()
        if self.reply is not None:
            return self.reply
        answer = self._signed(question.serial_number, question)
        if self.sign_with == "nothing":
            answer = answer.replace(*self._spoilt(answer))
        return answer

    @staticmethod
    def _spoilt(answer):
        """A part of the signature, and another in its place."""
        signature = ocsp.load_der_ocsp_response(answer).signature
        part = signature[-8:]
        return part, bytes(octet ^ 0x55 for octet in part)

    def _signed(self, serial, question):
        issuer = x509.load_pem_x509_certificate(
            self._ca.intermediate().encode())
        key = serialization.load_pem_private_key(
            self._ca.intermediate_key().encode(), None)
        if self.sign_with == "another":
            key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc).replace(
            tzinfo=None, microsecond=0)
        is_revoked = serial in self.revoked
        leaf = x509.load_pem_x509_certificate(
            self._ca.certificate(serial).encode())
        return (ocsp.OCSPResponseBuilder()
                .add_response(
                    leaf, issuer, question.hash_algorithm,
                    ocsp.OCSPCertStatus.REVOKED if is_revoked
                    else ocsp.OCSPCertStatus.GOOD,
                    now - DAY / 24, now + 7 * DAY,
                    now - DAY / 24 if is_revoked else None, None)
                .responder_id(ocsp.OCSPResponderEncoding.NAME, issuer)
                .sign(key, hashes.SHA256())
                .public_bytes(serialization.Encoding.DER))
