"""SetHandler acme-status: the page for people."""

import re
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization

from lib import page, proxy
from lib.httpd import REPOSITORY, modules_folder
from lib.tls import DAY, to_pem
from lib.wait import PATIENCE, wait_until

NAME = "www.example.org"
HOSTILE = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE"


def look(server, query="", **options):
    options.setdefault("port", server.status_port)
    return server.get(f"/acme-status{query}", **options)


def read(server, query=""):
    """A page without a fault: its text in the end."""
    answer = look(server, query)
    assert answer.status == 200
    found = page.Page(answer.body)
    assert not found.faults()
    return found.text


def own_files(issuer, name, begin, end, *chain):
    """Directives for a certificate that somebody else renews."""
    crt, key = issuer.server_files(name, name)
    public_key = serialization.load_pem_private_key(key.read_bytes(),
                                                    None).public_key()
    crt.write_text("".join([to_pem(issuer.issue(public_key, [name], begin,
                                                end)), *chain]))
    return f"SSLCertificateFile {crt}\nSSLCertificateKeyFile {key}"


def test_all_that_is_known_is_shown(site):
    server = site.server(site.ca())
    made = server.vhost(NAME, "example.org", body="AcmeKeyTypes p256 rsa2048\n"
                        "AcmeHook deploy /bin/true never-shown\n")
    issuer = site.authority
    for name, *rest in (("late.example.com", -90 * DAY, -DAY, issuer.pem),
                        ("alone.example.com", -DAY, 90 * DAY),
                        ("fine.example.com", -DAY, 90 * DAY, issuer.pem)):
        server.vhost(name, body=own_files(issuer, name, *rest))
    server.start()
    served = server.wait_valid(NAME)
    server.wait_log(f"acme: {NAME}: reloaded")
    # A worker of the load before may answer once more.
    wait_until(lambda: "and httpd serves it" in read(server, f"?id={NAME}"),
               "the new load is shown")

    # Its rights, and what it forbids itself.
    answer = look(server)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert "script" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    head = look(server, method="HEAD")
    assert head.status == 200 and not head.body
    assert head.headers["content-security-policy"] == policy
    for method in ("POST", "PUT", "DELETE"):
        refused = look(server, method=method)
        assert refused.status == 405
        assert "GET" in refused.headers["allow"]
        assert "POST" not in refused.headers["allow"]

    # The list.
    text = read(server)
    assert f"Soonest expiry: {NAME}" in text
    assert "1 certificate 0 failing 0 waiting 0 renewing 1 fine" in text
    assert f"expires {served.not_after:%Y-%m-%d %H:%M:%S} UTC in 89 days" \
        in text
    assert "renewal " in text
    assert "Not managed by mod_acme" in text
    assert "late.example.com.crt" in text and "expired" in text
    assert "The file has no intermediate certificate" in text
    assert text.index("late.example.com") < text.index("alone.example.com") \
        < text.index("fine.example.com")
    assert 'http-equiv="refresh"' in answer.body
    assert 'http-equiv="refresh"' not in look(server, "?refresh=0").body
    assert "?id=www.example.org&amp;refresh=0" in \
        look(server, "?refresh=0").body

    # The certificate's own page.
    text = read(server, f"?id={NAME}")
    for part in ("What is so", "and httpd serves it", "What happens next",
                 "It is renewed at", f"acmectl renew {NAME} --force",
                 f"{made}:1", "example.org", "p256", "rsa2048",
                 f"{served.serial:x}", server.ca.root_name(), "/bin/true",
                 "ordered", "validated", "installed"):
        assert part in text, part
    assert "cannot be read" not in text
    for body in (look(server).body, look(server, f"?id={NAME}").body):
        assert "never-shown" not in body and "PRIVATE" not in body
    journal = text[text.index("Journal"):]
    assert journal.index("installed") < journal.index("ordered")

    # Whatever is asked.
    missing = look(server, f"?id={HOSTILE}")
    assert missing.status == 404
    for body in (missing.body, look(server, f"?q={HOSTILE}").body,
                 look(server, f"?state={HOSTILE}&page={HOSTILE}&others=-9"
                      f"&refresh={HOSTILE}&{HOSTILE}=x").body):
        assert "<script" not in body and "\u202e" not in body
        assert not page.Page(body).faults()
    assert look(server, "?id=" + "a" * 4000).status == 200
    assert "No managed certificate is like that" in read(
        server, "?q=nobody.example")
    assert "example.org" in read(server, "?q=EXAMPLE.org&state=fine")


def test_what_runs_waits_and_fails_is_told(site):
    ca = site.proxied_ca()
    ca.answer(proxy.status(403, kind="caa", detail="<i>CAA</i>\x1b[2J forbids"),
              "order")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_failed(NAME)
    server.wait_state(NAME, "failed")
    body = look(server, f"?id={NAME}").body
    assert "<i>" not in body and "\x1b" not in body
    text = read(server, f"?id={NAME}")
    assert "caa-forbidden" in text and "CAA" in text
    assert "There is none yet" in text
    assert f"Then acmectl renew {NAME} tries at once" in text
    text = read(server)
    assert "1 failing" in text and "caa-forbidden" in text
    assert "Certificates of this server" in text
    assert "next attempt" in text

    ca.forward("order")
    held = ca.hold("finalize")
    wait_until(lambda: server.acmectl("renew", NAME)[0] == 0, "it is renewed")
    held.wait()
    wait_until(lambda: "Orders under way: 1" in read(server),
               "the order is shown")
    # The journal has what is noted of an order within a second.
    wait_until(lambda: "waiting until the CA has issued the certificate"
               in read(server), "its step is shown")
    text = read(server, f"?id={NAME}")
    assert "An order is under way since" in text
    assert "Step of the order" in text
    held.release()
    server.wait_valid(NAME)

    # A damaged journal stays where it is, and is told. The keeper may write
    # another one meanwhile, with the self check's result.
    journal = server.store / "journal" / f"{NAME}.json"

    def is_told():
        journal.write_text("{")
        shown = read(server, f"?id={NAME}")
        return (f"{NAME}.json" in shown[shown.index("Journal"):]
                and journal.read_text() == "{")

    wait_until(is_told, "the damaged journal is told")


def test_it_is_shown_to_this_machine_only(site, netns):
    """And without a certificate it helps to begin."""
    for address in ("10.9.0.1/24", "10.9.0.2/24"):
        subprocess.run(["ip", "address", "add", address, "dev", "lo"],
                       check=True, timeout=PATIENCE)
    server = site.server()
    server.append("acme", "AcmeEngine off\nListen 10.9.0.1:8080")
    server.start()
    assert "Require local" in (REPOSITORY / "conf" / "acme.conf").read_text()

    def visit(source):
        return subprocess.run(
            ["curl", "--silent", "--interface", source, "--max-time",
             str(PATIENCE), "--output", "-", "--write-out", "%{http_code}",
             "http://10.9.0.1:8080/acme-status"], check=True,
            timeout=PATIENCE, stdout=subprocess.PIPE, text=True).stdout

    assert visit("10.9.0.2").endswith("403")
    seen = visit("10.9.0.1")
    assert seen.endswith("200")
    assert "AcmeEngine is off" in seen and "AcmeTermsOfService agree" in seen

    # Without that location a site cannot make one for itself.
    (server.htdocs / ".htaccess").write_text("SetHandler acme-status\n")
    server.append("acme", f"<Directory {server.htdocs}>\n"
                  "AllowOverride FileInfo\n</Directory>")
    conf = server.root / "conf" / "acme.conf"
    text, n = re.subn(r"(?s)<Location \"/acme-status\">.*?</Location>", "",
                      conf.read_text())
    assert n == 1
    conf.write_text(text)
    server.graceful()
    wait_until(lambda: look(server, "?json").status == 404
               and server.matching("is set by an .htaccess file"),
               "the site's own page is not shown")


def test_virtual_hosts_of_a_macro_are_told(site):
    """httpd's own names of such are gone before the first visitor comes."""
    names = [f"w{i}.example.org" for i in range(300)]
    server = site.server(None)
    server.part("ca", "AcmeCA https://127.0.0.1:1/dir\n")
    server.part("macro", f"LoadModule macro_module {modules_folder()}"
                "/mod_macro.so\n<Macro Site $name>\n"
                f"<VirtualHost 127.0.0.1:{server.https_port}>\n"
                "ServerName $name\nSSLEngine on\n</VirtualHost>\n</Macro>\n"
                + "".join(f"Use Site {name}\n" for name in names))
    server.start()
    for name in names:
        assert "macro 'site'" in read(server, f"?id={name}")


@pytest.mark.skipif(not page.browser(), reason="no chromium here")
def test_a_browser_shows_it(site):
    """Narrow and wide, light and dark, and it has no complaint."""
    server = site.server(agreed=False)
    server.vhost(NAME)
    server.vhost("fine.example.com", body=own_files(
        site.authority, "fine.example.com", -DAY, 90 * DAY,
        site.authority.pem))
    server.start()
    wait_until(lambda: "not-agreed" in look(server).body, "it is known")
    url = f"http://127.0.0.1:{server.status_port}/acme-status"
    tree, complaints = page.browse(url, site.folder)
    assert not complaints
    assert "Terms of service: 1 certificate is waiting." in tree
    assert not page.Page(tree).faults()
    corners = set()
    for width, dark in ((390, False), (1280, True)):
        picture = site.folder / f"{width}.png"
        _, complaints = page.browse(f"{url}?id={NAME}", site.folder, width,
                                    dark, picture)
        assert not complaints
        size, corner = page.first_pixel(picture)
        assert size == (width, 900)
        corners.add(corner)
    light, dark = sorted(corners, reverse=True)
    assert min(light) > 200 and max(dark) < 60
