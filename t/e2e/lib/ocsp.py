"""An OCSP responder for a pebble, whose certificates name it."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from lib.answers import Answers
from lib.tls import DAY


def asked_about(body):
    """The serial in a question."""
    return ocsp.load_der_ocsp_request(body).serial_number


class Responder(Answers):
    """
    Made before its CA, which is told by its url; start(ca) when that runs.

    revoked: serials; all others are good. sign_with: "issuer", "another" (a
    key that may not), "nothing" (a signature that does not hold); reply: what
    is sent instead of any answer, as octets.
    """

    TYPE = "application/ocsp-response"

    def __init__(self):
        super().__init__()
        self.revoked = set()
        self.sign_with = "issuer"
        self.reply = None
        self.asked = []             # serials, in order
        self.answered = []
        self._ca = None

    def start(self, ca):
        self._ca = ca
        return self.serve()

    def heard(self, body):
        self.asked.append(asked_about(body))

    def told(self, body):
        self.answered.append(asked_about(body))

    def answer(self, body):
        question = ocsp.load_der_ocsp_request(body)
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
