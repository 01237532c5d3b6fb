"""The tests' own tools: a tool that never finds anything proves nothing."""

import json
import socket
import threading
import urllib.error
import urllib.request

import pytest

from lib import proxy, tls
from lib.load import Load
from lib.ports import free_port
from lib.tls import context


def own_certificate(site, server, name):
    crt, key = site.authority.server_files(name, name)
    server.vhost(name, body=f"SSLCertificateFile {crt}\n"
                            f"SSLCertificateKeyFile {key}")


def fetch(ca, url, **options):
    return urllib.request.urlopen(
        urllib.request.Request(url, **options), timeout=2,
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
        fetch(ca, ca.url).read()
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
