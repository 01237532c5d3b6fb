"""Profiles: what the CA offers is asked for by name."""

import datetime

import pytest

from lib import proxy

NAME = "www.example.org"

DAY = datetime.timedelta(days=1)
SHORT = 6 * 86400


def server_with(site, ca, profile):
    server = site.server(ca)
    server.vhost(NAME, body=f"AcmeProfile {profile}")
    return server


def offering(site, *names):
    """A CA that says that it has these profiles."""
    ca = site.proxied_ca()
    ca.change("directory", proxy.meta(
        profiles={name: f"The profile {name}" for name in names}))
    return ca


@pytest.mark.parametrize("profile, days", [("short", 6), ("default", 90)])
def test_the_certificate_is_of_the_profile(site, profile, days):
    ca = site.ca210(profiles={"default": 90 * 86400, "short": SHORT})
    server = server_with(site, ca, profile)
    server.start()
    served = server.wait_valid(NAME)
    lifetime = served.not_after - served.not_before
    assert abs(lifetime - days * DAY) < DAY / 24


@pytest.mark.parametrize("required", ["", " required"])
def test_a_profile_that_is_offered_is_asked_for_at_each_order(site,
                                                              required):
    ca = offering(site, "default", "short")
    server = server_with(site, ca, f"short{required}")
    server.start()
    server.wait_valid(NAME)
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert [order["profile"] for order in ca.orders] == ["short", "short"]
    assert not server.matching(r"acme:warn\]")


def test_none_is_asked_for_without_the_directive(site):
    ca = offering(site, "default", "short")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    assert "profile" not in ca.orders[0]


@pytest.mark.parametrize("offered", [["default"], []])
def test_without_a_profile_that_is_not_offered_it_goes_on(site, offered):
    ca = offering(site, *offered)
    server = server_with(site, ca, "short")
    server.start()
    server.wait_valid(NAME)
    assert "profile" not in ca.orders[0]
    assert "short" in server.wait_log(r"acme:warn\].*profile.*").string


def test_a_required_profile_that_is_not_offered_is_told(site):
    ca = offering(site, "default")
    server = server_with(site, ca, "short required")
    server.start()
    told = server.wait_failed(NAME)
    assert "short" in told and "default" in told
    assert not ca.count("order")
    assert server.look(NAME).self_signed

    ca.change("directory", proxy.meta(profiles={"short": "There it is"}))
    server.renew(NAME)
    server.wait_valid(NAME)


def test_a_profile_that_the_ca_refuses_after_all(site):
    ca = offering(site, "short")
    ca.answer(proxy.when(lambda asked: "profile" in asked, proxy.status(
        400, kind="invalidProfile", detail="not for you")), "order")
    server = server_with(site, ca, "short")
    server.start()
    server.wait_valid(NAME)
    assert [order.get("profile") for order in ca.orders] == [None]
    assert server.matching(r"acme:warn\].*short")

    server.vhost(NAME, body="AcmeProfile short required")
    server.graceful()
    server.renew(NAME)
    assert "not for you" in server.wait_failed(NAME)


def test_httpd_t_knows_one_word_after_the_profile(site):
    server = server_with(site, site.ca(), "short wanted")
    code, said = server.httpd_t()
    assert code != 0
    assert "AcmeProfile" in said and "required" in said
