"""The vhost watch: what is managed, and what is said about it."""

import re

import pytest

from lib.wait import stays

NAME = "www.example.org"


def names_of(dump, cert_id):
    """The names that -DDUMP_ACME lists for a certificate."""
    found = re.search(rf"^acme: certificate {re.escape(cert_id)}\n"
                      r"(?:\s+.*\n)*?\s+names: (.*)", dump, re.M)
    assert found, dump
    return re.split(r"[ ,]+", found[1].strip())


def test_a_config_test_says_nothing_and_makes_nothing(site):
    server = site.server(site.ca())
    server.vhost(NAME, "example.org")
    assert server.httpd_t() == (0, "Syntax OK\n")
    assert not server.store.exists()


def test_a_dump_lists_what_would_be_managed_and_makes_nothing(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    file = server.vhost(NAME, "example.org")
    server.vhost("plain.example.org", tls_on=False)
    code, dump = server.httpd_t("-DDUMP_ACME")

    assert code == 0
    assert names_of(dump, NAME) == [NAME, "example.org"]
    assert re.search(rf"^\s+ca: {re.escape(ca.url)}$", dump, re.M)
    assert re.search(rf"^\s+vhosts: {re.escape(str(file))}:1$", dump, re.M)
    assert "plain.example.org" not in dump
    assert not server.store.exists()
    assert not ca.count()


def test_a_dump_does_not_touch_a_server_that_runs(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    before = {path: path.stat().st_mtime_ns
              for path in server.store.rglob("*")}
    keeper = server.keeper
    server.httpd_t("-DDUMP_ACME")

    assert {path: path.stat().st_mtime_ns
            for path in server.store.rglob("*")} == before
    assert server.keeper == keeper
    assert ca.count("order") == 1


@pytest.mark.parametrize("directive, words", [
    ("AcmeEngine maybe", ["AcmeEngine", "maybe", "on", "off"]),
    ("AcmeTermsOfService maybe", ["AcmeTermsOfService", "maybe", "agree"]),
    ("AcmeCA http://ca.example/dir", ["AcmeCA", "http://ca.example/dir"]),
    ("AcmeCA nobody", ["AcmeCA", "nobody", "letsencrypt"]),
    ("AcmeContact nobody", ["AcmeContact", "nobody"]),
    ("AcmeCertificate ../../etc", ["AcmeCertificate"]),
    ("AcmeNames a..example", ["AcmeNames", "a..example"]),
    ("AcmePorts http:0", ["AcmePorts", "0"]),
    ("AcmeKeyTypes dsa1024", ["AcmeKeyTypes", "dsa1024", "p256"]),
    ("AcmeRenewWindow 0%", ["AcmeRenewWindow", "0%"]),
    ("AcmeReloadDelay soon", ["AcmeReloadDelay", "soon"]),
    ("AcmeActivate now", ["AcmeActivate", "now", "graceful"]),
    ("AcmeParallel 0", ["AcmeParallel", "1 to 64"])])
def test_a_wrong_value_stops_the_config_test(site, directive, words):
    server = site.server()
    server.part("wrong", directive + "\n")
    code, said = server.httpd_t()
    assert code != 0
    for word in words:
        assert word in said


def test_a_name_of_two_certificates_is_told_with_both_places(site):
    server = site.server(site.ca())
    first = server.vhost("a.example.org", "both.example.org", part="v1")
    second = server.vhost("b.example.org", "both.example.org", part="v2")
    code, said = server.httpd_t()
    told, = [line for line in said.split("\n") if "both.example.org" in line]
    assert code == 0
    assert f"{first}:1" in told and f"{second}:1" in told

    server.start()
    assert told.partition("acme: ")[2] in server.log_text
    server.wait_valid("b.example.org")
    assert server.wait_valid("a.example.org").names == ("a.example.org",
                                                        "both.example.org")


def test_patterns_are_left_out_with_a_note(site):
    server = site.server(site.ca())
    server.vhost(NAME, "*.example.org", "img?.example.org", "example.org")
    server.start()
    assert server.wait_valid(NAME).names == ("example.org", NAME)
    assert server.matching(r"acme: .*\*\.example\.org")
    assert server.matching(r"acme: .*img\?\.example\.org")


def test_names_can_be_listed(site):
    server = site.server(site.ca())
    server.vhost(NAME, "old.example.org", body=f"AcmeNames {NAME} "
                                               "new.example.org")
    server.start()
    assert server.wait_valid(NAME).names == ("new.example.org", NAME)


def test_a_vhost_without_a_name_is_told_with_its_place(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    nameless = server.part("nameless", "\n".join([
        f"<VirtualHost 127.0.0.1:{server.https_port}>", "SSLEngine on",
        "</VirtualHost>", ""]))
    code, said = server.httpd_t("-DDUMP_ACME")
    assert code == 0
    assert f"{nameless}:1" in said and "ServerName" in said
    assert names_of(said, NAME) == [NAME]


def test_a_removed_vhost_is_not_renewed_and_its_files_stay(site):
    ca = site.proxied_ca(validity=14)
    server = site.server(ca)
    server.vhost("kept.example.org")
    gone = server.vhost("gone.example.org")
    server.start()
    server.wait_valid("kept.example.org")
    server.wait_valid("gone.example.org")
    gone.unlink()
    server.graceful()
    count = len(server.installed("gone.example.org"))
    server.wait_valid("kept.example.org",
                      count=len(server.installed("kept.example.org")) + 2)

    assert len(server.installed("gone.example.org")) == count
    assert (server.store / "live" / "gone.example.org" /
            "privkey.pem").exists()
    assert not server.certificate("gone.example.org")


def test_a_new_alias_is_ordered_after_the_administrators_reload(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    server.vhost(NAME, "example.org")
    server.graceful()
    assert server.wait_valid(NAME, count=2).names == ("example.org", NAME)


def test_a_certificate_that_is_not_due_is_left_alone_at_a_restart(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    served = server.wait_valid(NAME)
    server.restart()
    assert server.look(NAME, verify=True).serial == served.serial
    stays(lambda: ca.count("order") == 1, "no second order", 3)
