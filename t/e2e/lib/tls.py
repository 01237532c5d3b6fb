"""Certificates: a small authority for the tests, and a client that looks."""

import base64
import datetime
import ipaddress
import socket
import ssl
import subprocess
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lib.wait import PATIENCE

UTC = datetime.timezone.utc
DAY = datetime.timedelta(days=1)


def utcnow():
    return datetime.datetime.now(UTC)


def rfc3339(time):
    """Like 2026-11-21T06:29:44Z."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Served:
    """The certificate that a server showed."""

    serial: int
    names: tuple
    not_before: datetime.datetime
    not_after: datetime.datetime
    issuer: str
    self_signed: bool
    subject: str                # the common name, or nothing
    addresses: tuple            # IP addresses among the names
    key: str                    # as AcmeKeyTypes has it: p256, rsa2048
    public_key: bytes           # DER
    must_staple: bool


def read(certificate):
    """What a test wants to know of an x509.Certificate."""
    names = extension(certificate, x509.SubjectAlternativeName) or \
        x509.SubjectAlternativeName([])
    return Served(
        certificate.serial_number,
        tuple(sorted(names.get_values_for_type(x509.DNSName))),
        *validity(certificate),
        common_name(certificate.issuer),
        certificate.issuer == certificate.subject,
        common_name(certificate.subject),
        tuple(str(address)
              for address in names.get_values_for_type(x509.IPAddress)),
        key_type(certificate.public_key()),
        certificate.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo),
        extension(certificate, x509.TLSFeature) is not None)


def validity(certificate):
    """Its first and its last second; later versions have these in UTC only."""
    if hasattr(certificate, "not_valid_after_utc"):
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return (certificate.not_valid_before.replace(tzinfo=UTC),
            certificate.not_valid_after.replace(tzinfo=UTC))


def extension(certificate, kind):
    """Of a certificate or a CSR; None where it has none."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def common_name(name):
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return found[0].value if found else ""


def key_type(public_key):
    kind = "p" if isinstance(public_key, ec.EllipticCurvePublicKey) else "rsa"
    return f"{kind}{public_key.key_size}"


def cert_id(certificate):
    """What renewal information calls an x509.Certificate (9773, 4.1)."""
    key_id = extension(certificate,
                       x509.AuthorityKeyIdentifier).key_identifier
    serial = certificate.serial_number
    octets = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=")
                    for part in (key_id, octets))


def read_chain(pem):
    """The certificates of a PEM text, the leaf first."""
    end = "-----END CERTIFICATE-----\n"
    return [x509.load_pem_x509_certificate((part + end).encode())
            for part in pem.split(end)[:-1]]


def context(roots=None):
    """A client's context: roots is PEM; without it nothing is verified."""
    if roots:
        verified = ssl.create_default_context(cadata=roots)
        # From Python 3.13 on, and our authorities have no more than they need.
        verified.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return verified
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    return unverified


def look(port, name, roots=None, timeout=PATIENCE, accept=None, alpn=None,
         address="127.0.0.1"):
    """The leaf that the server at this port serves for a name.

    With roots the whole chain, the name and the dates are verified. accept:
    "rsa" or "ec", the only keys that this visitor can use; alpn: a protocol.
    """
    client = context(roots)
    if accept:
        client.maximum_version = ssl.TLSVersion.TLSv1_2
        client.set_ciphers("aRSA" if accept == "rsa" else "aECDSA")
    if alpn:
        client.set_alpn_protocols([alpn])
    with socket.create_connection((address, port), timeout) as plain:
        with client.wrap_socket(plain, server_hostname=name) as tls:
            der = tls.getpeercert(binary_form=True)
    return read(x509.load_der_x509_certificate(der))


def chain(port, name):
    """All certificates that the server sends, the leaf first."""
    said = subprocess.run(
        ["openssl", "s_client", "-showcerts", "-connect", f"127.0.0.1:{port}",
         "-servername", name], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=PATIENCE, check=False).stdout
    return [read(certificate) for certificate in read_chain(said)]


class Authority:
    """A certificate authority that the tests hold in their hand."""

    def __init__(self, folder, name="Test authority", key=None,
                 digest=hashes.SHA256()):
        self.folder = folder
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.digest = digest
        # Valid so long that a server with a wrong clock trusts it, too.
        self.certificate = self.sign(
            self.name, self.key.public_key(), -3650 * DAY, 3650 * DAY,
            x509.BasicConstraints(ca=True, path_length=None))
        self.file = folder / "authority.pem"
        self.file.write_text(self.pem)

    @property
    def pem(self):
        return to_pem(self.certificate)

    def issue(self, public_key, names, begin=-DAY, end=90 * DAY, crl=None):
        """
        A certificate for names (an IP address begins with a digit).

        crl: where it is listed once it is revoked.
        """
        more = [x509.AuthorityKeyIdentifier.from_issuer_public_key(
            self.key.public_key())]
        if crl:
            more.append(x509.CRLDistributionPoints([x509.DistributionPoint(
                [x509.UniformResourceIdentifier(crl)], None, None, None)]))
        return self.sign(x509.Name([]), public_key, begin, end,
                          x509.SubjectAlternativeName(
                              [general_name(name) for name in names]), *more)

    def server_files(self, name, *names):
        """Files name.crt and name.key for a server with these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        crt = self.folder / f"{name}.crt"
        crt.write_text(to_pem(self.issue(key.public_key(), names,
                                         -3650 * DAY, 3650 * DAY)))
        key_file = self.folder / f"{name}.key"
        key_file.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        return crt, key_file

    def sign(self, subject, public_key, begin, end, critical, *others):
        now = utcnow()
        made = (x509.CertificateBuilder()
                .subject_name(subject)
                .issuer_name(self.name)
                .public_key(public_key)
                .serial_number(x509.random_serial_number())
                .not_valid_before(now + begin)
                .not_valid_after(now + end)
                .add_extension(critical, critical=True))
        for extension in others:
            made = made.add_extension(extension, critical=False)
        return made.sign(self.key, self.digest)


def general_name(name):
    if name[0].isdigit():
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


def to_pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
