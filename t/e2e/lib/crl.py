"""A list of revoked certificates, where certificates say that it is."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lib.tls import DAY, utcnow


class RevocationList:
    """
    Of an Authority, by start() at url. Who asks waits until release().

    revoked: serials; honest: signed by the authority, else by nobody.
    """

    def __init__(self, authority):
        self.revoked = set()
        self.honest = True
        self.asked = 0
        self._authority = authority
        self._gate = threading.Event()
        revocations = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                revocations.asked += 1
                revocations._gate.wait()
                body = revocations._signed()
                self.send_response(200)
                self.send_header("Content-Type", "application/pkix-crl")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/revoked.crl"

    def start(self):
        threading.Thread(target=self._server.serve_forever,
                         daemon=True).start()
        return self

    def end(self):
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def release(self):
        self._gate.set()

    def _signed(self):
        now = utcnow()
        made = (x509.CertificateRevocationListBuilder()
                .issuer_name(self._authority.name)
                .last_update(now - DAY / 24)
                .next_update(now + 7 * DAY))
        for serial in self.revoked:
            made = made.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(serial)
                .revocation_date(now - DAY / 24)
                .build())
        key = self._authority.key if self.honest \
            else ec.generate_private_key(ec.SECP256R1())
        return made.sign(key, hashes.SHA256()).public_bytes(
            serialization.Encoding.DER)
