"""acmectl check: each name as a CA would see it, before and after a failure."""

import http.server
import json
import socket
import subprocess
import threading

from lib.wait import PATIENCE

SIX = "2001:db8::6"

ZONE = f"""\
good IN A 127.0.0.1
six IN A 127.0.0.1
six IN AAAA {SIX}
loop IN A 127.0.0.2
away IN A 127.0.0.2
twofold IN A 127.0.0.2
both IN A 127.0.0.1
both IN AAAA 2001:db8::dead
inside IN A 127.0.0.2
other IN A 10.0.0.8
number IN A 127.0.0.2
link IN A 169.254.169.254
wrong IN A 127.0.0.3
mute IN A 127.0.0.4
far IN A 192.0.2.77
text IN TXT "no address"
forbidden IN A 127.0.0.1
forbidden IN CAA 0 issue "other-ca.example"
account IN A 127.0.0.1
account IN CAA 0 issue "pebble.example; accounturi=https://ca.example/1"
method IN A 127.0.0.1
method IN CAA 0 issue "pebble.example; validationmethods=dns-01"
"""


REDIRECTS = {
    "away": "good.example.org",
    "twofold": "both.example.org",
    "inside": "other.example.org",
    "number": "2130706433",             # it would be this machine
}


class Foreign(http.server.BaseHTTPRequestHandler):
    """Another server: it has no tokens, and may redirect in a circle."""

    server_version = "nginx"
    sys_version = ""

    def do_GET(self):
        host = self.headers["Host"]
        if host.startswith("loop"):
            self.send_response(301)
            self.send_header("Location", f"http://{host}/a"
                             if self.path.endswith("/b") else
                             f"//{host}/b" if self.path == "/a" else "/a")
            self.end_headers()
        elif host.split(".")[0] in REDIRECTS:
            to = REDIRECTS[host.split(".")[0]]
            self.send_response(302)
            self.send_header("Location", f"http://{to}{self.path}")
            self.end_headers()
        else:
            self.send_response(404)
            self.end_headers()
            self.wfile.write(b"<html>\n\x1b[31mWelcome\xff</html>")

    def log_message(self, *_args):
        pass


class Server6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


def foreign(site, address):
    kind = Server6 if ":" in address else http.server.ThreadingHTTPServer
    server = kind((address, 80), Foreign)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site.closing.callback(server.server_close)
    site.closing.callback(server.shutdown)
    return server


def silent(site, address):
    """It takes connections, and says nothing."""
    listener = socket.create_server((address, 80))
    site.closing.callback(listener.close)


def add_address(address):
    subprocess.run(["ip", "-6", "address", "add", f"{address}/128", "dev",
                    "lo", "nodad"], check=True, timeout=PATIENCE)


def check(server, *ids):
    """Exit code, and the findings of each name: {check: [finding]}."""
    code, text = server.acmectl("check", *ids, "--json")
    found = {}
    for cert in json.loads(text):
        for finding in cert["findings"]:
            found.setdefault(finding["name"], {}).setdefault(
                finding["check"], []).append(finding)
    return code, found


def test_each_name_is_seen_as_a_ca_sees_it(netns, site):
    add_address(SIX)
    netns.resolver("127.0.0.1")
    names = site.named(port=53, more=ZONE)
    foreign(site, SIX)
    foreign(site, "127.0.0.2")
    silent(site, "127.0.0.4")
    server = site.server(site.ca210(dns=names.at, always_valid=True))
    for name in ("good", "six", "loop", "away", "twofold", "inside",
                 "number", "link", "wrong", "mute", "far",
                 "text", "none", "forbidden", "account", "method"):
        server.vhost(f"{name}.example.org",
                     body="AcmeChallenges http-01 tls-alpn-01")
    server.part("wild", f"<VirtualHost 127.0.0.1:{server.https_port}>\n"
                        "ServerName wild.example.org\nSSLEngine on\n"
                        "AcmeNames *.wild.example.org\n"
                        "AcmeChallenges dns-01 http-01\n"
                        f"AcmeDns rfc2136 server={names.at} "
                        f"key={names.key_file}\n</VirtualHost>\n")
    server.start()
    server.wait_installed("good.example.org")
    server.wait_installed("_.wild.example.org")

    code, text = server.acmectl("check", "good.example.org")
    assert code == 0
    assert text == """\
good.example.org: no fault seen from this machine
    note    good.example.org: addresses: 127.0.0.1 (loopback)
    fine    good.example.org: no CAA records: every CA is allowed
    fine    good.example.org: http-01: port 80 of 127.0.0.1 leads to this server
    fine    good.example.org: tls-alpn-01: port 443 of 127.0.0.1 leads to this server, which answers acme-tls/1
"""
    code, found = check(server)
    assert code == 1

    def of(name, what, result="fault"):
        return {finding["detail"]: finding["reason"] for finding in
                found[f"{name}.example.org"][what]
                if finding["result"] == result}

    def worst(name):
        return {finding["reason"]
                for findings in found[f"{name}.example.org"].values()
                for finding in findings if finding["result"] == "fault"}

    assert of("six", "http-01") == {
        f"port 80 of {SIX} is answered by another program of this machine "
        r'(nginx), status 404, "<html>\x0a\x1b[31mWelcome\xff</html>"':
        "other-server-answers"}
    assert of("six", "http-01", "fine") == {
        "port 80 of 127.0.0.1 leads to this server": ""}
    assert worst("loop") == {"redirect-failed"}
    assert "loop: it leads to http://loop.example.org/a" in \
        next(iter(of("loop", "http-01")))
    assert not worst("away")
    assert "after a redirect to http://good.example.org/" in \
        next(iter(of("away", "http-01", "fine")))
    assert not worst("twofold")         # no way to the first address
    assert "after a redirect to http://both.example.org/" in \
        next(iter(of("twofold", "http-01", "fine")))
    assert not worst("inside")
    assert next(iter(of("inside", "http-01", "unseen"))) == (
        "port 80 of 127.0.0.2: a redirect to other.example.org, not "
        "followed: a private address (10.0.0.8)")
    assert worst("number") == {"redirect-failed"}
    assert "whose host is neither a name nor an IP address" in \
        next(iter(of("number", "http-01")))
    assert not worst("link")
    assert next(iter(of("link", "http-01", "unseen"))) == (
        "port 80 of 169.254.169.254: not visited, the address is a reserved "
        "one")
    assert worst("wrong") == {"port-80-unreachable"}
    assert worst("mute") == {"port-80-unreachable"}
    assert "port 80 of 127.0.0.4 does not answer" in \
        next(iter(of("mute", "http-01")))
    assert not worst("far")             # there is no way there from here
    assert "whether a CA reaches it cannot be seen from here" in \
        next(iter(of("far", "http-01", "unseen")))
    assert worst("text") == {"dns-no-address"}
    assert worst("none") == {"dns-nxdomain"}
    assert worst("forbidden") == {"caa-forbidden"}
    assert "they allow other-ca.example, and not pebble.example" in \
        next(iter(of("forbidden", "caa")))
    assert "accounturi names the account https://ca.example/1, and ours is " \
        "https://" in next(iter(of("account", "caa")))
    assert "validationmethods allows dns-01, and http-01 would be used" in \
        next(iter(of("method", "caa")))
    zone, tried = of("*.wild", "dns-01", "fine")
    assert "_acme-challenge.wild.example.org is in the zone example.org" in \
        zone
    assert "was set, seen at all name servers that answer (1), and is " in tried
    record = "_acme-challenge.wild.example.org"
    server.wait(lambda: not names.txt(record), "the record is removed")
    server.vhost("hook.example.org", body="AcmeChallenges dns-01\n"
                                          "AcmeDns exec /bin/false")
    assert "http-01" not in found["*.wild.example.org"]
    # The board is as it was, and nothing that was answered is of use.
    assert not server.matching(r":error\]")

    # The keeper may be replaced at any time.
    server.graceful()
    assert server.acmectl("check", "good.example.org", "wrong.example.org",
                          "--json")[0] == 1
    server.wait(lambda: server.failures("hook.example.org"), "the hook fails")
    code, found = check(server, "hook.example.org")
    assert code == 1
    assert "AcmeDns was tried, and failed: " in \
        next(iter(of("hook", "dns-01")))
    assert server.acmectl("check", "good.example.org", "other")[0] == 1
    assert server.acmectl("check", "--unheard-of")[0] == 2


def test_what_is_found_stands_beside_the_words_of_the_ca(netns, site):
    """By itself, after a failed validation, and until it succeeds."""
    netns.resolver("127.0.0.1")
    names = site.named(port=53, more="wrong IN A 127.0.0.3\n")
    server = site.server(site.ca(dns=names.at))
    server.vhost("wrong.example.org", body="AcmeChallenges http-01")
    server.start()
    assert "127.0.0.3" in server.wait_failed("wrong.example.org")
    server.wait_log("acme: wrong.example.org: check: port-80-unreachable: "
                    "wrong.example.org: port 80 of 127.0.0.3 refuses")
    # The line comes first, then the journal, then the page.
    server.wait(lambda: "Check" in server.certificate("wrong.example.org"),
                "the finding is shown")
    shown = server.certificate("wrong.example.org")
    assert shown["Check"].startswith("wrong.example.org: port 80 of 127.0.0.3")
    assert shown["CheckReason"] == "port-80-unreachable"
    assert shown["CheckedAt"]
    assert shown["Reason"] == "port-80-unreachable"
    text = server.acmectl("status", "wrong.example.org")[1]
    assert "check: port-80-unreachable: wrong.example.org: port 80 of " in text
    found, = json.loads(server.acmectl("status", "--json")[1])
    assert found["checkReason"] == "port-80-unreachable"
    events = [event["event"]
              for event in server.journal("wrong.example.org")["events"]]
    assert events[-1] == "check"

    # Once an hour by itself, and at any time when it is asked for.
    server.renew("wrong.example.org")
    server.wait_failed("wrong.example.org", 2)
    assert server.acmectl("check", "wrong.example.org")[0] == 1
    assert len(server.matching(": check: ")) == 2
    foreign(site, "127.0.0.3")
    code, found = check(server, "wrong.example.org")
    assert code == 1
    assert "answered by another program" in \
        found["wrong.example.org"]["http-01"][0]["detail"]
