"""A list of revoked certificates, where certificates say that it is."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lib.answers import Answers
from lib.tls import DAY, utcnow


class RevocationList(Answers):
    """
    Of an Authority, at url.

    revoked: serials; honest: signed by the authority, else by nobody.
    """

    TYPE = "application/pkix-crl"

    def __init__(self, authority):
        super().__init__()
        self.revoked = set()
        self.honest = True
        self.asked = 0
        self._authority = authority

    def heard(self, body):
        self.asked += 1

    def answer(self, body):
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
