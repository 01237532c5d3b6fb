"""The pages of docs/howto: a reader does what they say, and it works."""

import http.server
import json
import threading

import pytest

from lib.howto import Howto
from lib.named import DELEGATED

NAME = "www.example.org"


def contents(folder):
    """All of a folder: names, contents and times."""
    return {path: (path.stat().st_mtime_ns,
                   path.is_file() and path.read_text())
            for path in sorted([folder, *folder.rglob("*")])}


def test_always_https(netns, site):
    netns.hosts(NAME)
    server = site.server(site.ca())
    (server.htdocs / ".htaccess").write_text("Require all denied\n")
    server.part("folder", f"<Directory {server.htdocs}>\nAllowOverride All\n"
                          "</Directory>\n")
    before = contents(server.htdocs)
    server.start()
    page = Howto("always-https.md", server,
                 {"/var/www/example": server.htdocs})
    page.configure()
    page.run()
    server.wait_valid(NAME)
    page.run()
    server.append("howto", page.take("apache"))
    page.run()
    assert contents(server.htdocs) == before

    server.append("howto", page.take("apache"))
    server.graceful()
    assert server.get_tls(NAME).headers["strict-transport-security"] \
        == "max-age=86400"
    page.end()


class AcmeDns(http.server.ThreadingHTTPServer):
    """What acme-dns does for one account, in a zone of bind9."""

    def __init__(self, names):
        super().__init__(("127.0.0.1", 0), Registration)
        self.names = names
        self.values = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(.05,)).start()

    def update(self, value):
        """The last two are kept."""
        self.values = [*self.values[-1:], value]
        name = f"8e57.{DELEGATED}"
        assert not self.names.update(
            f"delete {name} TXT",
            *(f"add {name} 1 TXT {each}" for each in self.values))

    def end(self):
        self.shutdown()
        self.server_close()


class Registration(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path == "/register":
            return self.answer(201, {
                "username": "eabcdb41", "password": "pbAXVjlI",
                "fulldomain": f"8e57.{DELEGATED}", "subdomain": "8e57",
                "allowfrom": []})
        data = json.loads(body)
        if (self.path, self.headers["X-Api-User"], self.headers["X-Api-Key"],
                data["subdomain"]) \
                != ("/update", "eabcdb41", "pbAXVjlI", "8e57"):
            return self.answer(401, {"error": "forbidden"})
        self.server.update(data["txt"])
        return self.answer(200, {"txt": data["txt"]})

    def answer(self, status, data):
        text = json.dumps(data, separators=(",", ":")).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture(name="names")
def named(netns, site):
    netns.resolver("127.0.0.1")
    return site.named(port=53, more="_acme-challenge IN CNAME "
                                    f"8e57.{DELEGATED}.\n")


def test_wildcard(site, names):
    ca = site.ca210(dns=names.at, caa=["pebble.example"])
    server = site.server(ca)
    server.start()
    acme_dns = AcmeDns(names)
    site.closing.callback(acme_dns.end)
    etc = site.folder / "etc"
    etc.mkdir()
    page = Howto("wildcard.md", server, {
        "https://auth.acme-dns.io": acme_dns.url,
        "auth.acme-dns.io": DELEGATED, "/etc/httpd": etc})
    page.configure()
    page.run()
    server.wait_failed("example.org")
    record = server.acmectl("dns-persist", "example.org")[1]
    page.run()
    name, _, _, value = record.strip().split(" ", 3)
    assert not names.update(f"add {name} 1 TXT {value}")
    page.run()
    served = server.wait_valid("example.org")
    assert served.names == ("*.example.org", "example.org")

    assert not names.update(f"delete {name} TXT")
    page.run()
    alias = page.take("").split()
    assert [alias[0], alias[-1]] == [
        "_acme-challenge.example.org.", f"8e57.{DELEGATED}."]
    page.write_file("", etc)
    page.write_file("sh", etc)
    page.configure()
    page.end()
    server.graceful()
    server.renew("example.org")
    server.wait_valid("example.org", count=2)
    assert acme_dns.values
