"""tls-alpn-01: answered in the handshake, whatever the vhost is like."""

import base64
import concurrent.futures
import hashlib
import ipaddress
import json
import pathlib
import socket
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lib.httpd import modules_folder
from lib.ports import free_port
from lib.relay import Relay
from lib.tls import context, read, to_pem
from lib.wait import PATIENCE, wait_until

NAME = "www.example.org"
IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
ACME = ["acme-tls/1"]

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = (TLS12, TLS13)

# The CA's validators wait for 15 s, and ours began to count a little later.
VALIDATORS_WAIT = 10

# What a slow machine has not begun to ask in half of that is not asked, but
# for the first ones.
HANDSHAKES_MIN, HANDSHAKES_MAX = 16, 60
HANDSHAKES_TIME = 7

MPMS = pytest.mark.parametrize("mpm", ["event", "prefork"])


class Validation:
    """A server, and a CA that can reach it by tls-alpn-01 alone."""

    def __init__(self, site, mpm="event"):
        self.relay = Relay(None)
        site.closing.callback(self.relay.end)
        self.relay.start()
        site.validated_port = free_port()       # nobody is there
        self.ca = site.proxied_ca(tls_port=self.relay.port)
        self.server = site.server(self.ca, mpm=mpm)
        self.relay.target = self.server.https_port
        self.server.part("challenges", "AcmeChallenges tls-alpn-01\n")
        self.before = 0                 # authorizations of earlier orders
        self.begun = None
        self.late = False               # an order failed, as we were slow

    def begin(self, start=True, names=1):
        """Until validators of all names wait at the relay."""
        self.before = self.ca.count("authz")
        told = self.ca.count("challenge")
        self.relay.shut()
        if start:
            self.server.start()
        else:
            # One authorization in a hundred is reused, whatever it is told
            # to do: what it has forgotten it must ask for again.
            self.ca.pebble.restart()
            self.server.renew(NAME)
        self.ca.wait_for("challenge", told + names)
        self.relay.wait_waiting()
        self.begun = time.monotonic()
        return self

    def end(self, count=1):
        """
        The validator may look; until the certificate is there. Where it did
        not wait so long, and the order failed, it is ordered again.
        """
        late = time.monotonic() - self.begun > VALIDATORS_WAIT
        self.relay.open()
        if late:
            self.server.wait(lambda: len(self.server.installed(NAME)) >= count
                             or self.server.failures(NAME),
                             "the order has ended")
        if late and self.server.failures(NAME):
            self.server.renew(NAME)
            self.late = True
        self.server.wait_installed(NAME, count)
        assert self.late or not self.server.failures(NAME)

    def digest(self, name=NAME):
        """What the CA wants to see."""
        token, = {challenge["token"]
                  for authz in self.ca.seen("authz")[self.before:]
                  if authz.status == 200        # a nonce may be too old
                  and authz.json["identifier"]["value"] == name
                  for challenge in authz.json["challenges"]
                  if challenge["type"] == "tls-alpn-01"}
        return hashlib.sha256(f"{token}.{self.thumbprint}".encode()).digest()

    @property
    def thumbprint(self):
        """Of the account's key. (7638, 3)"""
        protected = json.loads(self.ca.seen("account")[0].body)["protected"]
        jwk = json.loads(unbase64url(protected))["jwk"]
        text = json.dumps(jwk, sort_keys=True, separators=(",", ":"))
        return base64.urlsafe_b64encode(
            hashlib.sha256(text.encode()).digest()).decode().rstrip("=")

    def connect(self, sni=NAME, offers=None, version=None, session=None):
        """A TLS client at httpd's own port."""
        client = context()
        # Without tickets, whose end a client that only looks would not see.
        client.options |= ssl.OP_NO_TICKET if version == TLS12 else 0
        if offers:
            client.set_alpn_protocols(offers)
        if version:
            client.minimum_version = client.maximum_version = version
        plain = socket.create_connection(
            ("127.0.0.1", self.server.https_port), PATIENCE)
        return client.wrap_socket(plain, server_hostname=sni,
                                  session=session)

    def look(self, sni=NAME, offers=None, version=None):
        """The protocol that was agreed on, and the certificate."""
        with self.connect(sni, offers, version) as tls:
            der = tls.getpeercert(binary_form=True)
            return (tls.selected_alpn_protocol(),
                    x509.load_der_x509_certificate(der))

    def assert_answered(self, version, name=NAME, sni=None):
        protocol, certificate = self.look(sni or name, ACME, version)
        extensions = certificate.extensions
        identifier = extensions.get_extension_for_oid(IDENTIFIER)
        assert protocol == "acme-tls/1"
        assert identifier.critical
        assert identifier.value.value \
            == b"\x04\x20" + self.digest(name)
        assert len(extensions) == 2
        assert names_of(certificate) == [name]
        assert certificate.issuer == certificate.subject
        return certificate

    def assert_visited(self, offers, protocol, sni=NAME, version=None):
        """As a visitor: the usual certificate, the usual protocol."""
        agreed, certificate = self.look(sni, offers, version)
        assert agreed == protocol
        assert not is_answer(certificate)
        return certificate


def unbase64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def is_answer(certificate):
    return any(extension.oid == IDENTIFIER
               for extension in certificate.extensions)


def names_of(certificate):
    """DNS names and addresses."""
    return [str(name.value) for name in
            certificate.extensions.get_extension_for_class(
                x509.SubjectAlternativeName).value]


def own_files(site, kinds, name):
    """Lines for a vhost with a certificate of each kind of key."""
    lines = []
    for kind in kinds:
        key = (ec.generate_private_key(ec.SECP384R1()) if kind == "ec" else
               rsa.generate_private_key(65537, 2048))
        crt = site.folder / f"{name}-{kind}.crt"
        crt.write_text(to_pem(site.authority.issue(key.public_key(), [name]))
                       + site.authority.pem)
        pem = site.folder / f"{name}-{kind}.key"
        pem.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        lines += [f"SSLCertificateFile {crt}", f"SSLCertificateKeyFile {pem}"]
    return "\n".join(lines)


@MPMS
@pytest.mark.parametrize("kinds", [("ec",), ("rsa",), ("rsa", "ec")],
                         ids="-".join)
def test_a_name_without_vhost_whatever_keys_the_default_one_has(site, mpm,
                                                                kinds):
    validation = Validation(site, mpm)
    server = validation.server
    server.vhost("own.example.org", part="default",
                 body=own_files(site, kinds, "own.example.org"))
    server.vhost(NAME, tls_on=False, body="AcmeEngine on")
    validation.begin()
    for version in VERSIONS:
        validation.assert_answered(version)
        for sni in (NAME, "own.example.org", "unknown.example"):
            usual = validation.assert_visited(["http/1.1"], "http/1.1", sni,
                                              version)
            assert names_of(usual) == ["own.example.org"]
    validation.end()


@MPMS
@pytest.mark.parametrize("key_type", ["p256", "p384", "rsa2048"])
def test_a_managed_vhost_whatever_key_it_has(site, mpm, key_type):
    validation = Validation(site, mpm)
    server = validation.server
    server.vhost(NAME, body=f"AcmeKeyTypes {key_type}")
    validation.begin()                  # with a placeholder
    for version in VERSIONS:
        validation.assert_answered(version)
    validation.end()
    server.wait_valid(NAME)

    validation.begin(start=False)       # with a certificate
    for version in VERSIONS:
        validation.assert_answered(version)
        validation.assert_visited(["http/1.1"], "http/1.1", version=version)
    validation.end(2)
    server.wait_valid(NAME, count=2)


@MPMS
def test_a_vhost_that_wants_certificates_of_its_clients(site, mpm):
    validation = Validation(site, mpm)
    validation.server.vhost(NAME, body="SSLVerifyClient require\n"
                            f"SSLCACertificateFile {site.authority.file}")
    validation.begin()
    for version in VERSIONS:
        validation.assert_answered(version)
    with pytest.raises(ssl.SSLError):
        validation.look(version=TLS12)
    with validation.connect(version=TLS13) as tls:
        with pytest.raises(ssl.SSLError):
            tls.recv(1)
    validation.end()


@pytest.mark.parametrize("place", ["server", "vhost"])
def test_http2_and_its_order_of_protocols_stay(site, place):
    validation = Validation(site)
    server = validation.server
    module = f"{modules_folder()}/mod_http2.so"
    server.part("00-h2", f"LoadModule http2_module {module}\n"
                + ("Protocols h2 http/1.1\n" if place == "server" else ""))
    server.vhost(NAME, body="Protocols h2 http/1.1" if place == "vhost"
                 else "")
    validation.begin()
    for version in VERSIONS:
        validation.assert_answered(version)
        validation.assert_visited(["http/1.1", "h2"], "h2", version=version)
        validation.assert_visited(["h2"], "h2", version=version)
        validation.assert_visited(["http/1.1"], "http/1.1", version=version)
        validation.assert_visited(None, None, version=version)
    validation.end()


@pytest.mark.parametrize("order", ["on", "off"])
def test_visitors_see_nothing_of_a_validation(site, order):
    validation = Validation(site)
    validation.server.vhost(NAME, body=f"ProtocolsHonorOrder {order}")
    validation.begin()
    placeholder = validation.server.look(NAME).serial
    for version in VERSIONS:
        # A validator offers its protocol alone.
        for offers, agreed in ((None, None), (["http/1.1"], "http/1.1"),
                               (["h2", "http/1.1"], "http/1.1"),
                               (["acme-tls/1", "http/1.1"], "http/1.1"),
                               (["http/1.1", "acme-tls/1"], "http/1.1")):
            usual = validation.assert_visited(offers, agreed, version=version)
            assert read(usual).serial == placeholder
    reply = validation.server.get_tls(NAME)
    assert reply.status == 503
    assert "upgrade" not in reply.headers
    validation.end()


def unanswered(validation, sni, version):
    """As without us: mod_ssl's handshake, or its refusal."""
    try:
        protocol, certificate = validation.look(sni, ACME, version)
    except ssl.SSLError:
        return True
    return protocol != "acme-tls/1" and not is_answer(certificate)


def test_names_that_are_not_validated_are_not_answered(site):
    validation = Validation(site)
    server = validation.server
    server.vhost(NAME, "example.org")
    validation.begin(names=2)
    for version in VERSIONS:
        for sni in ("unknown.example", "org", f"x.{NAME}", None):
            assert unanswered(validation, sni, version), sni
        validation.assert_answered(version, "example.org")
        validation.assert_answered(version, sni=NAME.swapcase())

    validation.end()
    server.wait_valid(NAME)
    for version in VERSIONS:
        wait_until(lambda: unanswered(validation, NAME, version),
                   "the name is withdrawn")


@MPMS
def test_a_request_after_the_handshake_is_not_answered(site, mpm):
    validation = Validation(site, mpm)
    validation.server.vhost(NAME)
    validation.begin()
    for version in VERSIONS:
        with validation.connect(NAME, ACME, version) as tls:
            assert received(tls) == b""         # at once, and unasked
        with validation.connect(NAME, ACME, version) as tls:
            try:
                tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            except (ssl.SSLError, ConnectionError):
                pass
            assert received(tls) == b""
    validation.end()


def received(tls):
    try:
        return tls.recv(100)
    except (ssl.SSLError, ConnectionError):     # no timeout is one
        return b""


def test_a_session_of_a_challenge_is_no_visitors(site):
    validation = Validation(site)
    validation.server.vhost(NAME)
    validation.begin()
    for offers, reused in ((["http/1.1"], True), (ACME, False)):
        client = context()
        client.maximum_version = TLS12
        client.set_alpn_protocols(offers)
        session = None
        for _ in range(2):
            plain = socket.create_connection(
                ("127.0.0.1", validation.server.https_port), PATIENCE)
            with client.wrap_socket(plain, server_hostname=NAME,
                                    session=session) as tls:
                session = tls.session
                was_reused = tls.session_reused
            client.set_alpn_protocols(["http/1.1"])
        assert was_reused == reused
    validation.end()


def test_a_client_that_must_say_hello_twice_is_answered(site):
    validation = Validation(site)
    validation.server.vhost(NAME, body="SSLOpenSSLConfCmd Groups P-384")
    validation.begin()
    for version in VERSIONS:
        validation.assert_answered(version)
    validation.end()


@MPMS
def test_beside_another_module_that_answers_the_protocol(site, mpm):
    module = pathlib.Path(modules_folder()) / "mod_md.so"
    if not module.exists():
        pytest.skip("httpd is without mod_md")
    validation = Validation(site, mpm)
    validation.server.part("zz-md", f"LoadModule md_module {module}\n")
    validation.server.vhost(NAME)
    validation.begin()
    for version in VERSIONS:
        validation.assert_answered(version)
        # A name that is not ours is that one's to answer.
        _, usual = validation.look("unknown.example", ACME, version)
        assert not is_answer(usual)
    validation.server.wait_log("unknown tls-alpn-01 challenge host", 2)
    validation.end()


@MPMS
def test_many_validators_at_once(site, mpm):
    validation = Validation(site, mpm)
    if mpm == "prefork":        # starts one child a second when all are busy
        validation.server.part("spare", "StartServers 12\n"
                               "MinSpareServers 10\nMaxSpareServers 48\n")
    validation.server.vhost("own.example.org", part="default",
                            body=own_files(site, ("rsa",),
                                           "own.example.org"))
    validation.server.vhost(NAME, tls_on=False, body="AcmeEngine on")
    validation.begin()
    begun = time.monotonic()

    def ask(i):
        if i < HANDSHAKES_MIN or time.monotonic() - begun < HANDSHAKES_TIME:
            validation.assert_answered(VERSIONS[i % 2])

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(HANDSHAKES_MAX)))
    validation.end()


def test_a_reload_while_the_ca_validates_costs_nothing(site):
    validation = Validation(site)
    validation.server.vhost(NAME)
    validation.begin()
    before = validation.digest()
    for _ in range(2):
        validation.server.graceful()
        protocol, answer = validation.look(NAME, ACME, TLS13)
        assert protocol == "acme-tls/1"
        assert answer.extensions.get_extension_for_oid(
            IDENTIFIER).value.value == b"\x04\x20" + before
    validation.end()
    assert validation.late or validation.ca.count("order") == 1


def test_an_address(site):
    validation = Validation(site)
    address = "127.0.0.1"
    validation.server.vhost(NAME, body=f"AcmeNames {NAME} {address}")
    validation.begin(names=2)
    sni = ipaddress.ip_address(address).reverse_pointer
    for version in VERSIONS:
        validation.assert_answered(version, address, sni)
    validation.end()


def test_several_names_and_renewals(site):
    validation = Validation(site)
    server = validation.server
    server.vhost(NAME, *(f"a{i}.example.org" for i in range(8)))
    server.start()
    server.wait_valid(NAME)
    for count in (2, 3):
        server.renew(NAME)
        server.wait_valid(NAME, count=count)
    assert not server.failures(NAME)
