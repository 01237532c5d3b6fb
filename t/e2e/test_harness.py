"""The tests' own tools: a tool that never finds anything proves nothing."""

import base64
import json
import os
import re
import socket
import subprocess
import threading
import urllib.error
import urllib.request

import dns.message
import dns.query
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import \
    decode_dss_signature

from lib import proxy, sid, tls
from lib.load import Load
from lib.netns import Network, Unavailable
from lib.pebble import Several
from lib.ports import free_port
from lib.tls import cert_id, context


def own_certificate(site, server, name):
    crt, key = site.authority.server_files(name, name)
    server.vhost(name, body=f"SSLCertificateFile {crt}\n"
                            f"SSLCertificateKeyFile {key}")


def fetch(ca, url, timeout=15, **options):
    return urllib.request.urlopen(
        urllib.request.Request(url, **options), timeout=timeout,
        context=context(ca.authority.pem))


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
@pytest.mark.parametrize("foreground", [False, True])
def test_httpd_starts_reloads_and_stops(site, mpm, foreground):
    server = site.server(mpm=mpm, acme=False)
    own_certificate(site, server, "www.example.org")
    server.start(foreground)

    assert server.get_tls("www.example.org").body == "It works\n"
    server.graceful()
    assert server.loads == 2
    server.stop()
    assert not server.running


def test_the_load_client_sees_no_failure_over_reloads(site):
    server = site.server(acme=False)
    own_certificate(site, server, "www.example.org")
    server.start()

    with Load(server.https_port, "www.example.org",
              site.authority.pem) as load:
        for _ in range(2):
            load.more(50)
            server.graceful()
        load.more(50)
    assert not load.failures


def test_the_load_client_sees_an_answer_that_is_cut_off():
    port = free_port()
    listener = socket.create_server(("127.0.0.1", port))

    def cut_off():
        while True:
            client, _ = listener.accept()
            client.close()

    threading.Thread(target=cut_off, daemon=True).start()
    with Load(port, "www.example.org", None) as load:
        load.more(1)
    assert load.failures and not load.requests


def test_the_proxy_keeps_the_host_and_counts_by_kind(site):
    ca = site.proxied_ca()
    directory = json.load(fetch(ca, ca.url))
    assert str(ca.port) in directory["newNonce"]

    fetch(ca, directory["newNonce"], method="HEAD")
    assert ca.count("directory") == ca.count("nonce") == 1
    assert ca.count() == 2


@pytest.mark.parametrize("action, error", [
    (proxy.status(503, retry_after=7), urllib.error.HTTPError),
    (proxy.reset, OSError),
    (proxy.truncated, Exception),
    (proxy.hang, TimeoutError)])
def test_the_proxy_misbehaves_as_it_is_told(site, action, error):
    ca = site.proxied_ca()
    ca.answer(action, "directory")
    with pytest.raises(error) as caught:
        fetch(ca, ca.url, 2 if action is proxy.hang else 15).read()
    if error is urllib.error.HTTPError:
        assert caught.value.headers["Retry-After"] == "7"

    ca.forward()
    assert json.load(fetch(ca, ca.url))["newOrder"]


def test_a_held_request_goes_on_when_it_is_released(site):
    ca = site.proxied_ca()
    held = ca.hold("directory")
    threading.Timer(0.2, lambda: held.wait() and held.release()).start()
    assert json.load(fetch(ca, ca.url))["newOrder"]
    assert held.released.is_set()


def test_the_authority_makes_what_it_is_told_to(site):
    crt, _ = site.authority.server_files("a", "a.example.org")
    leaf, = tls.read_chain(crt.read_text())
    assert tls.read(leaf).names == ("a.example.org",)


# CAs

def test_a_pebble_has_the_roots_and_chains_that_it_is_told_to(site):
    ca = site.ca(alternate_roots=2, eab={"kid-1": "c2VjcmV0"})
    names = [ca.root_name(i) for i in range(3)]
    assert len(set(names)) == 3
    assert len(tls.read_chain(ca.roots)) == 3
    assert ca.intermediate(1) != ca.intermediate(0)
    directory = json.load(fetch(ca, ca.url))
    assert directory["meta"]["externalAccountRequired"] is True


def test_two_cas_run_side_by_side(site):
    both = Several(site.ca(), site.proxied_ca())
    first, second = both.url.split()
    assert json.load(fetch(both, first)) != json.load(fetch(both, second))
    assert len(tls.read_chain(both.roots)) == 2
    both.cas[0].stop()
    assert len(tls.read_chain(both.roots)) == 1


def test_the_dns_of_pebble_answers_what_is_set(site):
    names = site.ca().dns
    host = "_acme-challenge.www.example.org"

    def txt(name):
        question = dns.message.make_query(name, "TXT")
        return dns.query.udp(question, "127.0.0.1", 5, port=names.port).answer

    names.set_txt(host, "one")
    names.set_txt(host, "two")
    assert {record.to_text() for record in txt(host)[0]} == {'"one"', '"two"'}
    assert names.history(host) == ["TXT"]
    names.set_cname("alias.example.org", host)
    assert "CNAME" in str(txt("alias.example.org")[0])
    names.clear_txt(host)
    assert not txt(host)


def test_a_command_sets_records_in_the_dns_of_pebble(site):
    names = site.ca().dns
    host = "_acme-challenge.www.example.org"
    command = names.command(site.folder)
    for action in "present", "cleanup":
        subprocess.run([command, action, host, "value"], check=True)
        question = dns.message.make_query(host, "TXT")
        answer = dns.query.udp(question, "127.0.0.1", 5, port=names.port)
        assert bool(answer.answer) == (action == "present")
    assert command.with_suffix(".log").read_text().split("\n")[0] == (
        f"present {host} value")


def test_the_pebble_of_sid_has_what_ours_lacks(site):
    ca = site.ca210(profiles={"default": 90 * 86400, "short": 6 * 86400})
    directory = json.load(fetch(ca, ca.url))
    assert "renewalInfo" in directory
    assert set(directory["meta"]["profiles"]) == {"default", "short"}
    assert directory["meta"]["caaIdentities"] == ["pebble.example"]
    key = x509.load_pem_x509_certificate(ca.root().encode()).public_key()
    assert tls.key_type(key).startswith("p")


def test_what_sid_cannot_give_is_skipped_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sid, "CACHE", tmp_path)
    monkeypatch.setattr(sid, "_mirror", lambda: "http://127.0.0.1:1/debian")
    for _ in range(2):              # the second one is not tried
        with pytest.raises(pytest.skip.Exception, match="sid.*E: Failed"):
            sid.program("pebble", "usr/bin/pebble")


def test_caddy_is_a_ca_in_a_network_of_the_test(netns, site):
    ca = site.caddy()
    directory = json.load(fetch(ca, ca.url))
    assert directory["newOrder"].startswith("https://localhost:")
    assert "renewalInfo" not in directory
    assert tls.read_chain(ca.roots)


def test_caddy_validates_and_issues(netns, site):
    netns.hosts("www.example.org")
    server = site.server(site.caddy())
    server.vhost("www.example.org")
    server.start()
    served = server.wait_valid("www.example.org")
    assert served.key == "p256" and not served.must_staple
    assert served.not_after - served.not_before < tls.DAY
    leaf, intermediate = server.chain("www.example.org")
    assert leaf == served
    assert intermediate.subject == served.issuer
    assert intermediate.issuer.startswith("Test caddy")


def test_the_pebble_of_sid_issues_and_says_when_to_renew(site):
    ca = site.ca210(retry_after=1, validity=86400)
    server = site.server(ca)
    server.vhost("www.example.org")
    server.start()
    served = server.wait_valid("www.example.org")
    assert served.not_after - served.not_before <= tls.DAY
    assert ca.revocation(served.serial) is None

    now = tls.utcnow()
    ca.set_renewal_info(served.serial, now - tls.DAY, now,
                        "https://why.example")
    issued = tls.read_chain(ca.certificate(served.serial))[0]
    directory = json.load(fetch(ca, ca.url))
    url = directory["renewalInfo"].rstrip("/") + "/" + cert_id(issued)
    told = json.load(fetch(ca, url))
    assert told["suggestedWindow"]["start"] == tls.rfc3339(now - tls.DAY)
    assert told["explanationURL"] == "https://why.example"
    ca.set_renewal_reply(served.serial, "{{{")
    assert fetch(ca, url).read() == b"{{{"


def test_an_outgoing_proxy_makes_tunnels_or_refuses(site):
    ca = site.ca()
    outgoing = site.forward_proxy()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": outgoing.url}),
        urllib.request.HTTPSHandler(context=context(site.authority.pem)))
    assert opener.open(ca.url, timeout=15).status == 200
    assert outgoing.targets == [f"127.0.0.1:{ca.port}"]
    outgoing.refusing = True
    with pytest.raises(OSError):
        opener.open(ca.url, timeout=15)


# A network

def test_a_network_has_its_own_ports_and_names(netns, site):
    netns.hosts("www.example.org")
    assert socket.gethostbyname("www.example.org") == "127.0.0.1"
    assert socket.if_nameindex() == [(1, "lo")]
    server = site.server(acme=False)
    own_certificate(site, server, "www.example.org")
    server.start()
    assert (server.http_port, server.https_port) == (80, 443)
    assert server.get_tls("www.example.org").body == "It works\n"
    assert server.look("www.example.org").names == ("www.example.org",)


def test_a_network_is_left(tmp_path):
    before = [os.readlink(f"/proc/self/ns/{kind}") for kind in ("net", "mnt")]
    here = os.getcwd()
    with open("/etc/hosts", encoding="utf-8") as file:
        hosts = file.read()
    try:
        network = Network(tmp_path).enter()
    except Unavailable as why:
        pytest.skip(f"no network namespace here ({why})")
    network.leave()

    assert before == [os.readlink(f"/proc/self/ns/{kind}")
                      for kind in ("net", "mnt")]
    assert os.getcwd() == here
    with open("/etc/hosts", encoding="utf-8") as file:
        assert file.read() == hosts


# DNS

def test_named_takes_signed_updates_and_no_others(site):
    server = site.named()
    name = "_acme-challenge.www.example.org"
    assert server.txt(name) == []
    assert not server.update(f"add {name} 1 TXT one",
                             f"add {name} 1 TXT two")
    assert server.txt(name) == ["one", "two"]
    assert "BADSIG" in server.update(f"add {name} 1 TXT three",
                                     key_file=server.wrong_key_file)
    assert "REFUSED" in server.update("add www.example.org 1 A 127.0.0.3")
    assert not server.update(f"delete {name} TXT")
    assert server.txt(name) == []


def test_named_has_an_alias_into_another_zone(site):
    server = site.named()
    alias = "_acme-challenge.deleg.example.org"
    assert not server.update("add deleg.delegated.example 1 TXT there")
    assert server.txt(alias) == []
    followed = server.ask(alias, recursive=True).answer
    assert '"there"' in str(followed[-1])


def test_a_secondary_lags_until_it_is_told(netns, site):
    addresses = ("127.0.0.1", "127.0.0.2")
    primary = site.named(port=53, nameservers=addresses)
    second = site.named(address="127.0.0.2", port=53, primary=primary)
    netns.resolver("127.0.0.1")
    name = "_acme-challenge.www.example.org"
    assert not primary.update(f"add {name} 1 TXT one")
    assert primary.txt(name) == ["one"] and second.txt(name) == []
    second.catch_up()
    assert second.txt(name) == ["one"]
    assert socket.gethostbyname("ns2.example.org") == "127.0.0.2"
    assert socket.gethostbyname("www.example.org") == "127.0.0.1"


def test_named_is_the_resolver_of_a_pebble(site):
    names = site.named(names=["www"])
    server = site.server(site.ca(dns=names.at))
    server.vhost("www.example.org")
    server.vhost("unknown.example.org")
    server.start()
    server.wait_valid("www.example.org")
    assert "unknown.example.org" in server.wait_failed("unknown.example.org")


# What the proxy tells and changes

def signed(key, url, nonce, payload=b"", **header):
    """A request, signed as RFC 8555 wants it."""
    protected = {"alg": "ES256", "url": url, "nonce": nonce, **header}
    parts = [base64url(json.dumps(protected).encode()), base64url(payload)]
    r, s = decode_dss_signature(key.sign(".".join(parts).encode(),
                                         ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return json.dumps({"protected": parts[0], "payload": parts[1],
                       "signature": base64url(signature)}).encode()


def base64url(octets):
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def jwk_of(key):
    numbers = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256",
            "x": base64url(numbers.x.to_bytes(32, "big")),
            "y": base64url(numbers.y.to_bytes(32, "big"))}


def new_account(ca, nonce=None, url=None, **header):
    """A newAccount request; its reply."""
    directory = json.load(fetch(ca, ca.url))
    if not nonce:
        nonce = fetch(ca, directory["newNonce"],
                      method="HEAD").headers["Replay-Nonce"]
    key = ec.generate_private_key(ec.SECP256R1())
    body = signed(key, url or directory["newAccount"], nonce,
                  b'{"termsOfServiceAgreed": true}', jwk=jwk_of(key),
                  **header)
    return fetch(ca, directory["newAccount"], data=body, headers={
        "Content-Type": "application/jose+json"})


def test_the_proxy_reads_what_the_client_signed(site):
    ca = site.proxied_ca()
    assert new_account(ca).status == 201
    request, = ca.seen("account")
    assert request.protected["alg"] == "ES256"
    assert request.asked == {"termsOfServiceAgreed": True}
    assert "/my-account/" in request.reply_headers["Location"]
    assert not ca.complaints()


def test_the_proxy_sees_what_no_client_may_send(site):
    ca = site.proxied_ca()
    with pytest.raises(urllib.error.HTTPError):
        new_account(ca, url="https://127.0.0.1/other", kid="both")
    ca.answer(proxy.status(500), "account")
    with pytest.raises(urllib.error.HTTPError):
        new_account(ca, nonce=ca.seen("account")[0].protected["nonce"])
    text = "\n".join(ca.complaints())
    for wrong in "url", "jwk and kid", "nonce used twice":
        assert re.search(f": {wrong}$", text, re.MULTILINE)
    site.proxies.remove(ca)         # or they would fail this test


def test_the_proxy_changes_replies(site):
    ca = site.proxied_ca()
    ca.change("directory", proxy.meta(profiles={"short": "days"}),
              proxy.member(renewalInfo="https://127.0.0.1/ari"))
    ca.change("directory", proxy.header("Retry-After", "7"))
    reply = fetch(ca, ca.url)
    directory = json.load(reply)
    assert directory["meta"]["profiles"] == {"short": "days"}
    assert directory["meta"]["termsOfService"]
    assert directory["renewalInfo"] == "https://127.0.0.1/ari"
    assert reply.headers["Retry-After"] == "7"
    ca.unchange()
    assert "renewalInfo" not in json.load(fetch(ca, ca.url))


def test_the_proxy_answers_some_requests_and_forwards_the_others(site):
    ca = site.proxied_ca()
    ca.answer(proxy.when(lambda asked: "replaces" in asked, proxy.status(
        409, kind="alreadyReplaced")), "account")
    assert new_account(ca).status == 201

    ca.answer(proxy.times(2, proxy.status(503)), "directory")
    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError):
            fetch(ca, ca.url)
    assert fetch(ca, ca.url).status == 200


def test_the_proxy_gives_renewal_information(site):
    ca = site.proxied_ca()
    info = proxy.RenewalInfo(ca, retry_after="60")
    issued = x509.load_pem_x509_certificate(ca.pebble.intermediate().encode())
    url = json.load(fetch(ca, ca.url))["renewalInfo"] + "/" + cert_id(issued)
    with pytest.raises(urllib.error.HTTPError):
        fetch(ca, url)

    now = tls.utcnow()
    info.window(now - tls.DAY, now, certificate=issued)
    reply = fetch(ca, url)
    assert reply.headers["Retry-After"] == "60"
    assert json.load(reply)["suggestedWindow"]["end"] == tls.rfc3339(now)
    assert info.count(issued) == info.count() == 2

    ca.answer(proxy.once(proxy.status(503)), "own-renewal-info")
    with pytest.raises(urllib.error.HTTPError):
        fetch(ca, url)
    assert fetch(ca, url).status == 200


def test_the_id_of_a_certificate_is_that_of_rfc_9773():
    key_id = bytes.fromhex("69885b6b87464041e1b37b847ba0ae2cde01c8d4")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    certificate = (
        x509.CertificateBuilder().issuer_name(name).subject_name(name)
        .public_key(key.public_key()).serial_number(0x87654321)
        .not_valid_before(tls.utcnow()).not_valid_after(tls.utcnow())
        .add_extension(x509.AuthorityKeyIdentifier(key_id, None, None), False)
        .sign(key, hashes.SHA256()))
    assert cert_id(certificate) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"
