"""docs/troubleshooting.md: its log lines are those of a real server."""

import http.server
import re
import shutil
import threading

import pytest

from lib import proxy
from lib.howto import BLOCK, pattern
from lib.httpd import REPOSITORY

REASONS = REPOSITORY / "docs" / "reasons"

SERVED = "www.example.org"
HIDDEN = "hidden.example.org"
EDITED = "edited.example.org"

# Of each name the reason why its certificate waits or fails; what is said of
# it as www.example.org is on the page.
FAILING = {
    "nowhere.example.org": ("dns-nxdomain", "AcmeChallenges http-01"),
    "closed.example.org": ("port-80-unreachable", "AcmeChallenges http-01"),
    "elsewhere.example.org": ("challenge-failed", "AcmeChallenges http-01"),
    "caa.example.org": ("caa-forbidden", ""),
    "star.example.org": ("no-challenge-possible",
                         "AcmeNames *.star.example.org\n"
                         "AcmeCertificate star.example.org"),
    "limited.example.org": ("rate-limited", ""),
    "away.example.org": ("ca-unreachable", "AcmeCA https://127.0.0.1:1/dir"),
    "unread.example.org": ("terms-not-agreed", "AcmeTermsOfService none"),
}


class Stranger(http.server.BaseHTTPRequestHandler):
    """Who answers at the address of elsewhere.example.org."""

    def do_GET(self):
        self.send_error(404)

    def log_message(self, *_):
        pass


def quoted(code):
    """The lines of the log that the text of a reason has."""
    language, block = BLOCK.findall((REASONS / f"{code}.md").read_text())[0]
    assert not language and block.startswith("acme: ")
    return block.splitlines()


def wait_quoted(server, code, name):
    for line in quoted(code):
        server.wait_log(pattern(line.replace("www.example.org", name))
                        .rstrip("\n") + "$")


@pytest.fixture(name="refusing")
def refusing_ca(netns, site):
    """By the name that is ordered; a name server knows the others."""
    netns.resolver("127.0.0.1")
    names = site.named(
        port=53, names=("www", "hidden", "edited", "star", "caa", "limited"),
        more="closed IN A 127.0.0.2\nelsewhere IN A 127.0.0.3\n")
    ca = site.proxied_ca(dns=names.at)
    caa = proxy.status(403, kind="caa", detail="CAA record for "
                       "caa.example.org prevents issuance")
    limited = proxy.status(429, 3600, kind="rateLimited",
                           detail="too many certificates already issued")

    async def order(exchange):
        name = exchange.asked["identifiers"][0]["value"]
        action = {"caa.example.org": caa, "limited.example.org": limited}.get(
            name)
        return await (action(exchange) if action else exchange.forward())

    # pebble names no NXDOMAIN.
    def nowhere(authz, _headers):
        if authz["identifier"]["value"] == "nowhere.example.org":
            for challenge in authz["challenges"]:
                if "error" in challenge:
                    challenge["error"] = {
                        "type": "urn:ietf:params:acme:error:dns",
                        "detail": "DNS problem: NXDOMAIN looking up A for "
                        "nowhere.example.org", "status": 400}

    ca.answer(order, "order")
    ca.change("authz", nowhere)
    return ca


def test_the_log_is_as_the_page_says(site, refusing):
    stranger = http.server.ThreadingHTTPServer(("127.0.0.3", 80), Stranger)
    threading.Thread(target=stranger.serve_forever, args=(.05,)).start()
    site.closing.callback(stranger.server_close)
    site.closing.callback(stranger.shutdown)
    server = site.server(refusing)
    for name, (_, body) in FAILING.items():
        server.vhost(name, body=body)
    for name in SERVED, EDITED:
        server.vhost(name)
    server.start()
    server.wait_valid(SERVED)
    for name, (code, _) in FAILING.items():
        wait_quoted(server, code, name)
        server.wait(lambda: server.certificate(name).get("Reason") == code,
                    f"{name} waits: {code}")

    # An earlier virtual host takes the visitors of a name.
    for file in "fullchain.pem", "privkey.pem":
        shutil.copy(server.store / "live" / SERVED / file, site.folder)
    server.vhost(HIDDEN)
    server.part("before", f"""<VirtualHost 127.0.0.1:{server.https_port}>
ServerName {HIDDEN}
SSLEngine on
SSLCertificateFile {site.folder}/fullchain.pem
SSLCertificateKeyFile {site.folder}/privkey.pem
</VirtualHost>
""")
    server.graceful()
    server.wait_installed(HIDDEN)
    wait_quoted(server, "not-served", HIDDEN)

    # Somebody edits a file when a certificate is renewed.
    server.append("before", "# not finished")
    server.renew(EDITED)
    wait_quoted(server, "reload-held", EDITED)


def test_each_text_has_a_log_line_that_is_tested():
    texts = {path.stem for path in REASONS.glob("*.md")}
    assert texts == {code for code, _ in FAILING.values()} | {
        "not-served", "reload-held"}
    assert all(re.search(r"^acme: ", quoted(code)[0]) for code in texts)
