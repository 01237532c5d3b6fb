"""A CA that issues what was not asked for: kept aside, and never served."""

import datetime

import pytest

from lib import proxy
from lib.tls import DAY, Authority

NAME = "www.example.org"


def refused(server):
    """Told, kept for the administrator, and not served."""
    told = server.wait_failed(NAME)
    assert not server.installed(NAME)
    kept = list((server.store / "aside").rglob("*"))
    assert any("BEGIN CERTIFICATE" in path.read_text(errors="replace")
               for path in kept if path.is_file())
    assert server.running
    return told


@pytest.mark.parametrize("wrong", [
    {"other_key": True},
    {"names": ["www.example.net"]},
    {"names": [NAME, "more.example.org"]},
    {"names": ["*.example.org"]},
    {"end": -datetime.timedelta(hours=1)},
    {"begin": DAY},
], ids=["key", "names", "more names", "wildcard", "expired", "not yet"])
def test_a_wrong_certificate_is_kept_aside_and_never_served(site, wrong):
    ca = site.proxied_ca()
    ca.answer(proxy.substitute(**wrong), "certificate")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    told = refused(server)
    assert NAME in told
    assert server.look(NAME).self_signed
    assert server.get_tls(NAME).status == 503

    ca.forward()
    server.renew(NAME)
    server.wait_valid(NAME)


def test_a_chain_that_does_not_fit_together_is_refused(site):
    ca = site.proxied_ca()
    (site.folder / "other").mkdir()
    other = Authority(site.folder / "other", "Another authority")
    ca.answer(proxy.substitute(more=other.pem), "certificate")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    refused(server)


def test_a_refused_renewal_leaves_the_good_one_live(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    good = server.wait_valid(NAME)
    ca.answer(proxy.substitute(other_key=True), "certificate")
    server.renew(NAME)
    server.wait_failed(NAME)

    assert server.look(NAME, verify=True).serial == good.serial
    server.restart()
    assert server.look(NAME, verify=True).serial == good.serial
    assert server.certificate(NAME)["State"] == "failed"


def test_a_shorter_lived_certificate_does_not_replace_a_good_one(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    good = server.wait_valid(NAME)
    ca.answer(proxy.substitute(end=DAY), "certificate")
    server.renew(NAME)
    server.wait_failed(NAME)
    assert server.look(NAME, verify=True).serial == good.serial
