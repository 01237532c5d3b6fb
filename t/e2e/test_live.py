"""AcmeActivate live: the next handshake has the new certificate."""

import os
import re
import signal
import socket
import ssl
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lib import live, process, tls
from lib.httpd import modules_folder
from lib.load import Load
from lib.ocsp import Responder
from lib.preload import preload
from lib.wait import PATIENCE, wait_until

NAME = "www.example.org"
KEYS = "keys.example.org"
SHARED = ("one.example.org", "two.example.org")

FEW = "AcmeProfile tlsserver"       # 25 names a certificate

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

BAD = "acme: both: process .* cannot use"

SERIAL = 'Header always set X-Serial "expr=%{SSL:SSL_SERVER_M_SERIAL}"'


def live_server(site, ca, **options):
    server = site.server(ca, **options)
    server.part("live", "AcmeActivate live\n")
    return server


def renewed(server, *cert_ids):
    """Certificates that visitors get, without a reload; their serials."""
    loads = server.loads
    for cert_id in cert_ids:
        server.renew(cert_id)
    serials = [server.wait_installed(cert_id, 2) for cert_id in cert_ids]
    for cert_id in cert_ids:
        server.wait_log(f"acme: {re.escape(cert_id)}: .*without a reload", 2)
    assert server.loads == loads
    return serials


def client_context(version=None, roots=None):
    client = tls.context(roots)
    if version:
        client.minimum_version = client.maximum_version = version
    return client


def visit(server, client, name=NAME, path="/", session=None):
    """A handshake and a request; the connection and the answer."""
    plain = socket.create_connection(("127.0.0.1", server.https_port),
                                     PATIENCE)
    connection = client.wrap_socket(plain, server_hostname=name,
                                    session=session)
    return connection, ask(connection, name, path)


def ask(connection, name=NAME, path="/"):
    """A request on a connection that stays."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    said = b""
    while b"\r\n\r\n" not in said:
        said += connection.recv(65536)
    head, _, body = said.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head.decode()


def serial_of(connection):
    return tls.x509.load_der_x509_certificate(
        connection.getpeercert(binary_form=True)).serial_number


def without_name(server):
    """What a visitor gets whose client sends no name."""
    plain = socket.create_connection(("127.0.0.1", server.https_port),
                                     PATIENCE)
    with tls.context().wrap_socket(plain) as connection:
        return serial_of(connection)


def configure_all(site, server):
    """Each way in which mod_ssl comes to a certificate."""
    if server.mpm != "prefork":
        server.part("00-h2", "Protocols h2 http/1.1\nLoadModule http2_module "
                             f"{modules_folder()}/mod_http2.so\n")
    server.vhost(NAME, part="a", body=SERIAL)
    server.vhost(NAME, tls_on=False, body="AcmeRequireHttps temporary")
    server.vhost(KEYS, part="b",
                 body="AcmeKeyTypes p256 rsa2048\nSSLCertificateChainFile "
                      f"{site.authority.file}")
    for name in SHARED:
        server.vhost(name, part=f"c-{name}", body=f"""
            AcmeCertificate shared
            SSLOpenSSLConfCmd SignatureAlgorithms ECDSA+SHA384:ECDSA+SHA256
            SSLCACertificateFile {site.authority.file}
            SSLVerifyClient optional
            Header always set X-Client expr=%{{SSL:SSL_CLIENT_VERIFY}}""")


def is_everywhere(server, serial, name):
    """Old and new clients, whichever process answers."""
    for version in (TLS12, TLS13) * 3:
        connection, _ = visit(server, client_context(version,
                                                     server.ca.roots), name)
        with connection:
            assert serial_of(connection) == serial


def signed_with(server, name, *digests):
    """The digest of the server's signature, of those that a client can."""
    said = subprocess.run(
        ["openssl", "s_client", "-tls1_2", "-servername", name, "-sigalgs",
         ":".join(f"ECDSA+{digest}" for digest in digests), "-connect",
         f"127.0.0.1:{server.https_port}"], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=PATIENCE, check=False).stdout
    return re.search("Peer signing digest: (.*)", said)[1]


def ask_by_h2(server, *names):
    """The answers of HTTP/2, as curl shows them."""
    said = subprocess.run(
        ["curl", "-sk", "--http2", "--noproxy", "*", "-w",
         "%{http_version} %{http_code}\n",
         *(word for name in names for word in
           ("--resolve", f"{name}:{server.https_port}:127.0.0.1", "-o",
            "/dev/null", f"https://{name}:{server.https_port}/"))],
        capture_output=True, text=True, timeout=PATIENCE, check=False).stdout
    return said.split("\n")[:-1]


def nobody_else_can_write(server):
    assert live.descriptors(server.keeper)
    for pid in (*server.workers, server.witness):
        assert not live.descriptors(pid)
        assert live.rights(pid) == ["r--s"]


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_workers_use_it_from_the_next_handshake_on(site, mpm):
    server = live_server(site, site.ca(), mpm=mpm)
    configure_all(site, server)
    server.start()
    for cert_id, name in (NAME, NAME), (KEYS, KEYS), ("shared", SHARED[1]):
        server.wait_valid(cert_id, name)
        assert server.get_tls(name).status == 200
        server.wait(lambda which=cert_id: server.certificate(which).get(
            "Activated") == "live", "the keeper has said so")
    nobody_else_can_write(server)
    assert server.get(host=NAME).status == 302

    old = server.look(KEYS, accept="rsa").serial
    serial, two_keys, shared = renewed(server, NAME, KEYS, "shared")
    is_everywhere(server, serial, NAME)
    assert without_name(server) == serial
    assert int(server.get_tls(NAME).headers["x-serial"], 16) == serial
    if mpm != "prefork":
        assert server.look(NAME, verify=True, alpn="h2").serial == serial
        assert ask_by_h2(server, NAME, *SHARED) == ["2 200"] * 3

    assert server.look(KEYS, verify=True, accept="ec").serial == two_keys
    assert server.look(KEYS, verify=True, accept="rsa").serial != old
    chain = server.chain(KEYS)
    assert [each.subject for each in chain[1:]] == [chain[0].issuer]

    visitor = client_context(roots=server.ca.roots)
    visitor.load_cert_chain(*site.authority.server_files("visitor", "visitor"))
    for name in SHARED:
        assert server.look(name, verify=True).serial == shared
        assert signed_with(server, name, "SHA512", "SHA384") == "SHA384"
        connection, head = visit(server, visitor, name)
        with connection:
            assert serial_of(connection) == shared
            assert "X-Client: SUCCESS" in head

    for pid in server.workers:
        server.kill(pid)
    is_everywhere(server, shared, SHARED[0])
    assert server.loads == 1 and not server.reloads_asked

    server.graceful()
    is_everywhere(server, shared, SHARED[0])
    assert "Activated" not in server.certificate("shared")
    assert not server.matching("reloaded: now served")
    nobody_else_can_write(server)


def test_a_reload_in_the_middle_of_it(site):
    server = live_server(site, site.ca())
    server.vhost(NAME, "alias.example.org")
    server.start()
    server.wait_valid(NAME)
    for count in 2, 3:
        server.renew(NAME)
        serial = server.wait_installed(NAME, count)
        server.graceful()
        server.wait_served(NAME, serial)

    # The store has a certificate for the names of a new first one,
    first = f"vhost-{server.https_port}-{NAME}"
    reloaded(server, lambda: server.vhost("alias.example.org", NAME,
                                          part=first))
    is_served_for(server, serial, NAME, "alias.example.org")

    # and of a virtual host that was added.
    def divide():
        server.vhost("alias.example.org", part=first)
        server.vhost(NAME, part="added")

    reloaded(server, divide)
    is_served_for(server, serial, NAME, "alias.example.org")
    for pid in server.workers:
        server.kill(pid)
    is_served_for(server, serial, NAME, "alias.example.org")


def reloaded(server, edit):
    """An edit of the administrator's is read, and no former worker is left."""
    former = set(server.workers)
    edit()
    server.graceful()
    server.wait(lambda: not former & set(server.workers), "all are new")


def is_served_for(server, serial, *names):
    for name in names:
        assert server.look(name, verify=True).serial == serial
        assert server.get_tls(name).status == 200


def test_sessions_go_on(site):
    """By ticket and by id, and without a change in a renegotiation."""
    server = live_server(site, site.ca())
    server.vhost(NAME, body=f"SSLCACertificateFile {site.authority.file}\n"
                            "<Location /private>\nSSLVerifyClient require\n"
                            "</Location>")
    server.start()
    first = server.wait_valid(NAME).serial
    clients = [client_context(version, server.ca.roots)
               for version in (TLS12, TLS12, TLS13)]
    clients[1].options |= ssl.OP_NO_TICKET
    sessions = []
    for client in clients:
        connection, _ = visit(server, client)
        with connection:
            sessions.append(connection.session)
    assert [session.has_ticket for session in sessions] == [True, False, True]
    opened = private_clients(site, server)
    serial, = renewed(server, NAME)
    is_everywhere(server, serial, NAME)

    for client, session in zip(clients, sessions):
        connection, _ = visit(server, client, session=session)
        with connection:
            assert connection.session_reused
    for connections, expected in ((opened, first),
                                  (private_clients(site, server), serial)):
        for connection in connections:
            with connection:
                assert " 404 " in ask(connection, path="/private")
                assert serial_of(connection) == expected


def private_clients(site, server):
    """Connections that are asked for the client's certificate later: TLS 1.2
    renegotiates then."""
    found = []
    for version in TLS12, TLS13:
        client = client_context(version, server.ca.roots)
        client.post_handshake_auth = True
        client.load_cert_chain(*site.authority.server_files("visitor",
                                                            "visitor"))
        found.append(visit(server, client)[0])
    return found


def stapled(server):
    """The serial of the response that comes with a handshake, or None."""
    said = subprocess.run(
        ["openssl", "s_client", "-status", "-servername", NAME, "-connect",
         f"127.0.0.1:{server.https_port}"], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=PATIENCE, check=False).stdout
    found = re.search(r"Serial Number: ([0-9A-F]+)", said)
    return int(found[1], 16) if found else None


def test_what_is_stapled_waits_for_a_reload(site):
    """And where it would not, nothing is stapled."""
    responder = Responder()
    site.closing.callback(responder.end)
    ca = site.ca(more={"ocspResponderURL": responder.url})
    responder.start(ca)
    server = live_server(site, ca)
    server.part("staple", "SSLUseStapling on\n"
                          "SSLStaplingCache shmcb:run/staple(65536)\n")
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    first = server.look(NAME).serial
    wait_until(lambda: stapled(server) == first, "it is stapled")
    server.wait_quiet(NAME)
    chain, key, other = make_pair(site, ec.generate_private_key(
        ec.SECP256R1()))
    with live.Memory(server, 1) as memory:
        memory.write(0, 9, chain, key)
        assert server.look(NAME).serial == other
        assert stapled(server) is None
    server.renew(NAME)
    serial = server.wait_installed(NAME, 2)
    server.wait_log("reload, not by running workers before: SSLUseStapling")
    server.wait_served(NAME, serial)
    wait_until(lambda: stapled(server) == serial, "the next one is, too")
    assert not server.matching("without a reload")


def test_names_that_are_divided_and_validators(site):
    server = live_server(site, site.ca())
    # pebble hangs now and then when it makes orders of many names at once.
    server.part("parallel", "AcmeParallel 1\n")
    served = {}
    for letter, version in ("n", "TLSv1.2"), ("m", "TLSv1.3"):
        names = [f"{letter}{i}.example.org" for i in range(26)]
        server.vhost(*names, body=f"{FEW}\nAcmeChallenges tls-alpn-01\n"
                                  f"SSLProtocol {version}")
        served[names[0]], served[f"{names[0]}-2"] = names[0], names[-1]
    server.start()
    for count in 1, 2:
        if count > 1:
            for cert_id in served:
                server.renew(cert_id)
        for cert_id, name in served.items():
            serial = server.wait_installed(cert_id, count)
            server.wait_served(name, serial)
            assert server.get_tls(name).status == 200
    assert not any(map(server.failures, served))
    assert server.loads == 1 and not server.reloads_asked


def make_pair(site, key, name=NAME):
    """PEM of a chain and of a key, and the serial."""
    leaf = site.authority.issue(key.public_key(), [name])
    return (tls.to_pem(leaf) + site.authority.pem, key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()).decode(), leaf.serial_number)


def test_what_is_no_use_changes_nothing(site):
    """A keeper tries what it publishes; here something else writes. One process
    answers all: another one might have missed the last that was good."""
    server = live_server(site, None)
    server.part("one", "StartServers 1\nServerLimit 1\nMinSpareThreads 1\n"
                       "MaxSpareThreads 8\nMaxRequestWorkers 8\n")
    server.part("ca", "AcmeCA https://127.0.0.1:1/dir\n")
    server.vhost(NAME, body="AcmeCertificate both\n"
                            "SSLCipherSuite DEFAULT:@SECLEVEL=3")
    server.vhost(SHARED[0], body="AcmeCertificate both")
    server.start()
    chain, key, serial = make_pair(site, ec.generate_private_key(
        ec.SECP256R1()))
    weak, weak_key, weak_serial = make_pair(
        site, rsa.generate_private_key(65537, 2048), SHARED[0])
    with live.Memory(server, 1) as memory:
        memory.write(0, 1, weak, weak_key)
        assert server.look(SHARED[0]).serial == weak_serial
        assert server.get_tls(SHARED[0]).status == 200
        assert server.look(NAME).self_signed
        assert server.get_tls(NAME).status == 503
        server.wait_log("acme: both: OpenSSL does not accept")

        memory.write(0, 2, chain, key)
        assert server.look(NAME).serial == serial
        assert server.get_tls(NAME).status == 200
        memory.write(0, 3, weak, weak_key)
        for name, expected in (NAME, serial), (SHARED[0], weak_serial):
            assert server.look(name).serial == expected
            assert server.get_tls(name).status == 200
        memory.write(0, 4, chain, key)
        assert server.look(SHARED[0]).serial == serial
        for texts in ((chain, weak_key), ("no chain", key), (chain, "no key"),
                      (chain,)):
            memory.write(0, 3, *texts)
            for name in NAME, SHARED[0]:
                assert server.look(name).serial == serial
        assert len(server.matching(BAD)) == 4
        memory.write(0, 4, chain, key)
        memory.write(0, 5, end=False)
        for name in NAME, SHARED[0]:
            assert server.look(name).serial == serial
            assert server.get_tls(name).status == 200
        server.wait(lambda: server.look(NAME).serial == serial
                    and len(server.matching(BAD)) == 5,
                    "a writing that does not end is told")
    assert len(server.matching("acme: both: OpenSSL does not accept")) == 2
    assert "BEGIN" not in server.log_text


# Each handshake's first one, not the trial before it, which has no connection.
FAILS = """
    typedef void *(*get_cb)(const void *);
    typedef int (*use_cb)(void *, void *, void *, void *, int);

    int SSL_use_cert_and_key(void *ssl, void *leaf, void *key, void *rest,
                             int override)
    {
        static __thread unsigned count;
        get_cb get = (get_cb)dlsym(RTLD_DEFAULT, "SSL_get_rbio");
        use_cb use = (use_cb)dlsym(RTLD_NEXT, "SSL_use_cert_and_key");

        if (get(ssl) && ++count % 2) {
            return 0;
        }
        return use(ssl, leaf, key, rest, override);
    }"""


def test_where_openssl_fails_a_handshake_has_what_httpd_loaded(site):
    server = live_server(site, None,
                         environment=preload(site.folder, FAILS))
    server.part("ca", "AcmeCA https://127.0.0.1:1/dir\n")
    server.vhost(NAME)
    server.start()
    loaded = server.look(NAME).serial
    chain, key, _ = make_pair(site, ec.generate_private_key(ec.SECP256R1()))
    with live.Memory(server, 1) as memory:
        memory.write(0, 1, chain, key)
        for version in (TLS12, TLS13) * 3:
            connection, _ = visit(server, client_context(version))
            with connection:
                assert serial_of(connection) == loaded


@pytest.mark.dense
def test_fifty_replacements_fail_no_handshake(site):
    server = live_server(site, None)
    server.part("ca", "AcmeCA https://127.0.0.1:1/dir\n")
    server.vhost(NAME)
    server.start()
    pairs = [make_pair(site, ec.generate_private_key(ec.SECP256R1()))
             for _ in range(4)]
    with live.Memory(server, 1) as memory:
        memory.write(0, 1, *pairs[0][:2])
        with Load(server.https_port, NAME, site.authority.pem,
                  keep_alive=False) as load:
            for n in range(50):
                memory.write(0, n + 1, *pairs[n % 4][:2])
                load.more(1)
    assert not load.failures
    assert not server.matching(BAD)
    assert server.look(NAME).serial == pairs[49 % 4][2]


def test_where_it_cannot_work_one_line_says_so(site):
    server = live_server(site, site.ca())
    server.vhost(NAME)
    one = process.Process(server.command("-X"), server.root / "logs" / "out",
                          env=server.process_environment)
    site.closing.callback(one.end)
    told = server.wait_log("acme: AcmeActivate live: .*httpd -X")
    assert "warn" in told.string and "graceful reload" in told.string
    server.wait_installed(NAME)
    server.wait_log("acme: reload: postponed: .*-X")
    os.kill(one.popen.pid, signal.SIGTERM)
    one.popen.wait(PATIENCE)
    assert len(server.matching("acme: AcmeActivate live")) == 1


# What httpd may find at run time, and what is told then.
OTHERS = {
    "another OpenSSL": ("""
        unsigned long OpenSSL_version_num(void)
        {
            return 0x70000000;
        }""", "another major version of OpenSSL"),
    "a mod_ssl without the hook": ("""
        void *apr_optional_hook_get(const char *name)
        {
            void *(*of_apr)(const char *) = dlsym(RTLD_NEXT,
                                                  "apr_optional_hook_get");

            return strcmp(name, "init_server") ? of_apr(name) : NULL;
        }""", "mod_ssl did not ask for a certificate callback"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_where_something_is_missing_httpd_is_reloaded(site, other):
    source, why = OTHERS[other]
    server = live_server(site, site.ca(),
                         environment=preload(site.folder, source))
    server.vhost(NAME)
    server.start()
    told = f"acme: AcmeActivate live: .*{why}.* by a graceful reload"
    assert "warn" in server.wait_log(told).string
    for count in 1, 2:
        server.wait_valid(NAME, count=count)
        assert server.get_tls(NAME).status == 200
        server.wait(lambda n=count: server.loads == n + 1, "it was reloaded")
        assert server.reloads_asked == count
        assert "Activated" not in server.certificate(NAME)
        assert not live.descriptors(server.pid)
        if count == 1:
            server.renew(NAME)
    # Each load begins with it, and no handshake repeats it.
    assert len(server.matching(told)) == server.loads


def test_where_openssl_is_another_one_nothing_is_chosen(site):
    """Of names that are divided, either."""
    source, why = OTHERS["another OpenSSL"]
    server = site.server(site.ca(), environment=preload(site.folder, source))
    server.part("parallel", "AcmeParallel 1\n")
    names = [f"n{i}.example.org" for i in range(26)]
    server.vhost(*names, body=FEW)
    server.start()
    server.wait_log(f"only the first can be served: .*{why}")
    server.wait_installed(f"{names[0]}-2")
    serial = server.wait_installed(names[0])
    server.wait_served(names[0], serial)
    assert server.look(names[-1]).serial == serial
