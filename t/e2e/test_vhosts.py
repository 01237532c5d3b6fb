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
    server.wait_quiet(NAME)
    before = {path: path.stat().st_mtime_ns
              for path in server.store.rglob("*")}
    keeper = server.keeper
    server.httpd_t("-DDUMP_ACME")

    assert {path: path.stat().st_mtime_ns
            for path in server.store.rglob("*")} == before
    assert server.keeper == keeper
    assert ca.count("order") == 1


@pytest.mark.whole
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
    server = site.server(site.ca(validity=14))
    server.part("none", "AcmeActivate none\n")     # no reload but ours
    server.vhost("kept.example.org")
    gone = server.vhost("gone.example.org")
    server.start()
    server.wait_installed("kept.example.org")
    server.wait_installed("gone.example.org")
    gone.unlink()
    server.graceful()
    count = len(server.installed("gone.example.org"))
    server.wait_installed("kept.example.org",
                          len(server.installed("kept.example.org")) + 2)

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


@pytest.mark.parametrize("line, told", [
    ("", True),
    ("AcmeDns exec /bin/true", False),
    ("AcmeDns exec /bin/true\nAcmeChallenges http-01", True),
    ("AcmeDns exec /bin/true\nAcmeChallenges http-01 dns-01", False),
    ("AcmeChallenges dns-persist-01", False),
    ("AcmeChallenges http-01 dns-persist-01", False)])
def test_a_wildcard_that_nobody_can_validate_is_told(site, line, told):
    server = site.server(site.ca())
    file = server.vhost(NAME, body=f"AcmeNames auto *.example.org\n{line}")
    code, said = server.httpd_t()
    lines = [line for line in said.split("\n") if "*.example.org" in line]
    assert code == 0
    assert len(lines) == told
    for found in lines:
        assert f"{file}:1" in found and "AcmeDns" in found


def test_the_wildcards_of_a_later_vhost_need_the_challenges_of_the_first(site):
    server = site.server(site.ca())
    shared = "AcmeCertificate shared\n"
    server.vhost(NAME, part="v1", body=shared)
    second = server.vhost("b.example.org", part="v2", body=shared +
                          "AcmeNames *.example.org\nAcmeDns exec /bin/true")
    code, said = server.httpd_t()
    assert code == 0
    assert f"{second}:1: *.example.org" in said


def started(site, *vhosts):
    """A CA that counts, and a server whose vhosts have certificates."""
    ca = site.proxied_ca()
    server = site.server(ca)
    for names in vhosts:
        server.vhost(*names, part=names[0])
    server.start()
    for names in vhosts:
        server.wait_valid(names[0])
    return ca, server


def test_names_swapped_between_vhosts(site):
    ca, server = started(site, ("a.example.org", "x.example.org"),
                         ("b.example.org", "y.example.org"))
    server.vhost("a.example.org", "y.example.org", part="a.example.org")
    server.vhost("b.example.org", "x.example.org", part="b.example.org")
    server.graceful()
    assert server.get_tls("a.example.org").status == 200
    assert server.wait_valid("a.example.org", "y.example.org", count=2).names \
        == ("a.example.org", "y.example.org")
    assert server.wait_valid("b.example.org", "x.example.org", count=2).names \
        == ("b.example.org", "x.example.org")
    assert ca.count("order") == 4


def test_names_that_move_along_with_their_vhosts_order_nothing(site):
    """The files are read in another order, and the aliases too."""
    ca, server = started(site, ("a.example.org", "x.example.org",
                                "y.example.org"), ("b.example.org",))
    for part in "a.example.org", "b.example.org":
        server.remove_part(part)
    server.vhost("b.example.org", part="1")
    server.vhost("a.example.org", "y.example.org", "x.example.org", part="2")
    server.graceful()
    server.wait_state("a.example.org", "valid")
    stays(lambda: ca.count("order") == 2, "no further order", 3)


def test_two_certificates_merged_into_one(site):
    ca, server = started(site, ("a.example.org",), ("b.example.org",))
    merged, = server.installed("b.example.org")
    for name in "a.example.org", "b.example.org":
        server.vhost(name, body="AcmeCertificate a.example.org", part=name)
    server.graceful()
    assert server.wait_valid("a.example.org", "b.example.org",
                             count=2).names == ("a.example.org",
                                                "b.example.org")
    assert ca.count("order") == 3
    assert server.live("b.example.org")[0].serial_number == merged
    assert not server.certificate("b.example.org")

    for name in "a.example.org", "b.example.org":
        server.vhost(name, part=name)
    server.graceful()
    server.wait_served("b.example.org", merged)
    assert server.look("a.example.org", verify=True)
    stays(lambda: ca.count("order") == 3, "what there was is good", 3)


def test_the_id_that_is_set_stays_without_the_first_name(site):
    body = "AcmeCertificate shop"
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost("a.example.org", "b.example.org", body=body, part="shop")
    server.start()
    serial = server.wait_valid("shop", "a.example.org").serial
    server.vhost("b.example.org", body=body, part="shop")
    server.graceful()
    assert server.wait_served("b.example.org", serial)
    stays(lambda: ca.count("order") == 1, "it has all names", 3)
    assert server.get_tls("b.example.org").status == 200


def test_without_one_the_first_name_is_the_id(site):
    ca, server = started(site, ("a.example.org", "b.example.org"))
    serial, = server.installed("a.example.org")
    server.vhost("b.example.org", part="a.example.org")
    server.graceful()
    assert server.wait_valid("b.example.org").names == ("b.example.org",)
    assert ca.count("order") == 2
    assert server.live("a.example.org")[0].serial_number == serial


@pytest.mark.parametrize("lines, told", [
    ("ServerName my_shop.example", "my_shop.example"),
    ("ServerName 192.0.2.7", "only wildcard names or IP addresses"),
    ("", "has no ServerName"),
])
def test_a_tls_vhost_without_a_name_to_order_answers_503(site, lines, told):
    server = site.server(site.ca())
    server.vhost(NAME)
    path = server.part("odd", f"<VirtualHost 127.0.0.2:{server.https_port}>\n"
                              f"{lines}\nSSLEngine on\n</VirtualHost>\n"
                              f"Listen 127.0.0.2:{server.https_port} https\n")
    code, said = server.httpd_t()
    assert code == 0
    assert told in said
    assert f"{path}:1: no certificate can be ordered for this virtual host" \
        in said
    server.start()
    server.wait_valid(NAME)
    server.restart()
    assert server.get_tls(NAME).status == 200
    assert server.get_tls(NAME, address="127.0.0.2").status == 503


def test_a_template_is_told_apart_each_time_it_is_included(site):
    ca = site.ca()
    server = site.server(ca)
    crt, key = site.authority.server_files("own", "own.example.org")
    template = site.folder / "template"
    template.write_text(
        f"<VirtualHost 127.0.0.1:{server.https_port}>\n"
        "ServerName ${SITE}\nSSLEngine on\n<IfDefine OWN>\n"
        f"SSLCertificateFile {crt}\nSSLCertificateKeyFile {key}\n"
        "</IfDefine>\n</VirtualHost>\n")
    use = "Define SITE {}\nInclude " + str(template) + "\n"
    server.part("sites", use.format(NAME)
                + "Define OWN\n" + use.format("own.example.org")
                + "UnDefine OWN\n" + use.format("more.example.org"))
    server.start()
    server.wait_valid(NAME)
    server.wait_valid("more.example.org")
    server.restart()
    assert server.look("own.example.org").issuer == "Test authority"
    assert not server.installed("own.example.org")


@pytest.mark.parametrize("level", [4, 5])
@pytest.mark.parametrize("name", [NAME, "my_shop.example"])
def test_a_placeholder_fits_the_security_level(site, level, name):
    """OpenSSL refuses P-256 and SHA-256 there, and httpd would not start."""
    server = site.server(site.ca())
    server.vhost(name, body=f"SSLCipherSuite DEFAULT@SECLEVEL={level}")
    server.vhost("plain.example.org")
    server.start()
    server.wait_valid("plain.example.org")
    if level == 4:
        assert server.look(name).key == "p384"
        assert server.get_tls(name).status == 503
    server.graceful()
    server.restart()
    assert server.look("plain.example.org").key == "p256"


@pytest.mark.parametrize("name", [NAME, "my_shop.example"])
def test_a_level_outlasts_a_list_without_one(site, name):
    """OpenSSL keeps it until a later list names another."""
    server = site.server(site.ca())
    server.part("level", "SSLOpenSSLConfCmd CipherString DEFAULT@SECLEVEL=4\n")
    server.vhost(name, body="SSLOpenSSLConfCmd CipherString HIGH")
    server.start()
    assert server.look(name).key == "p384"
    assert server.get_tls(name).status == 503


def test_a_level_that_only_handshakes_obey_counts(site):
    """mod_ssl sets it when it has loaded all: OpenSSL would end each of them."""
    server = site.server(site.ca())
    server.vhost(NAME, body="AcmeKeyTypes rsa2048\nSSLOpenSSLConfCmd "
                            "CipherString DEFAULT:@SECLEVEL=3")
    server.start()
    assert "security level 3" in server.wait_failed(NAME)
    assert server.look(NAME).self_signed
    assert server.get_tls(NAME).status == 503
