"""Challenges: answered before everything else, and only our own."""

import http.client
import socket

import pytest

from lib import tls
from lib.wait import PATIENCE, wait_until

NAME = "www.example.org"
PATH = "/.well-known/acme-challenge/"

PASSWORDS = "visitor:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"    # "password"

# What stands in the way of a visitor of port 80: configuration, and the
# status that he gets.
OBSTACLES = {
    "redirect": ("Redirect permanent / https://www.example.org/", 301),
    "rewrite": ("RewriteEngine on\n"
                "RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R=301,L]",
                301),
    "forbidding": ("RewriteEngine on\nRewriteRule ^ - [F]", 403),
    "password": ("<Location />\nAuthType Basic\nAuthName staff\n"
                 "AuthUserFile conf/passwords\nRequire valid-user\n"
                 "</Location>", 401),
    "denying": ("<Location />\nRequire all denied\n</Location>", 403),
    "proxy": ("ProxyPass / http://127.0.0.1:1/", 503),
    "require-https": ("AcmeRequireHttps permanent", 301),
}


def begin_validation(site, *names, body=""):
    """A server, and the token that the CA is about to look at."""
    relay = site.relay()
    ca = site.proxied_ca()
    server = site.server(ca)
    for name in names:
        server.vhost(name, body=body)
    relay.shut()
    server.start()
    relay.wait_waiting()
    ca.wait_for("challenge", len(names))    # whichever comes first: it is told
    challenges = ca.seen("authz")[0].json["challenges"]
    token, = [challenge["token"] for challenge in challenges
              if challenge["type"] == "http-01"]
    return server, relay, token


def test_challenges_pass_every_obstacle(site):
    server = site.server(site.ca())
    (server.root / "conf" / "passwords").write_text(PASSWORDS)
    for obstacle, (body, _) in OBSTACLES.items():
        name = f"{obstacle}.example.org"
        server.vhost(name)
        server.vhost(name, tls_on=False, body=body)
    server.start()

    for obstacle, (_, status) in OBSTACLES.items():
        name = f"{obstacle}.example.org"
        server.wait_valid(name)
        assert server.get(host=name).status == status, obstacle


def test_obstacles_of_the_whole_server_are_passed_too(site):
    server = site.server(site.ca())
    server.part("whole", "<Location />\nRequire all denied\n</Location>\n"
                         "Redirect permanent / https://www.example.org/\n")
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)


def test_a_challenge_is_answered_on_every_vhost_for_every_host(site):
    server, _, token = begin_validation(site, NAME, "other.example.org")
    for host in (NAME, "other.example.org", "unknown.example", "127.0.0.1"):
        for port in (server.http_port, server.status_port):
            reply = server.get(PATH + token, host=host, port=port)
            assert reply.status == 200
            assert reply.body.startswith(token + ".")
            assert reply.headers["content-type"] == "application/octet-stream"


def test_a_challenge_is_answered_behind_the_redirect_to_https(site):
    server, _, token = begin_validation(site, NAME)
    assert server.get_tls(NAME, PATH + token).status == 200
    assert server.get_tls(NAME).status == 503


def test_head_of_a_challenge(site):
    server, _, token = begin_validation(site, NAME)
    got = server.get(PATH + token)
    head = server.get(PATH + token, method="HEAD")
    assert head.status == 200
    assert head.body == ""
    assert head.headers["content-length"] == str(len(got.body))
    assert head.headers["content-type"] == got.headers["content-type"]


def test_an_answer_says_when_httpd_closes_the_connection(site):
    """A client that believes it stays would lose its next request."""
    server, relay, token = begin_validation(site, NAME)

    def is_told(port, path, status, wrap=None):
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain:
            with wrap(plain) if wrap else plain as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\n"
                                   "\r\n".encode())
                reply = http.client.HTTPResponse(connection)
                reply.begin()
                assert reply.status == status
                reply.read()
                return reply.getheader("connection") == "close" \
                    and connection.recv(1) == b""

    assert is_told(server.http_port, PATH + token, 200)
    assert is_told(server.https_port, "/", 503, lambda plain:
                   tls.context().wrap_socket(plain, server_hostname=NAME))
    relay.open()
    server.wait_valid(NAME)
    server.vhost(NAME, tls_on=False, body="AcmeRequireHttps permanent")
    server.graceful()
    assert is_told(server.http_port, "/", 301)


def test_tokens_of_others_are_left_to_other_handlers(site):
    server, relay, token = begin_validation(site, NAME)
    folder = server.htdocs / ".well-known" / "acme-challenge"
    folder.mkdir(parents=True)
    (folder / "of-another-client").write_text("its answer")

    assert server.get(PATH + "of-another-client").body == "its answer"
    for strange in ("", "unknown", token[:-1], token + "x", token + "/",
                    token.swapcase(), "../../index", "%2e%2e", "a" * 5000):
        assert server.get(PATH + strange).status != 200, strange

    relay.open()
    server.wait_valid(NAME)
    wait_until(lambda: server.get(PATH + token).status == 404,
               "the token is withdrawn")


def test_a_placeholder_answers_503_until_the_certificate_is_there(site):
    server, relay, _ = begin_validation(site, NAME)
    reply = server.get_tls(NAME)
    assert reply.status == 503
    assert int(reply.headers["retry-after"]) > 0
    assert server.look(NAME).self_signed
    assert server.look(NAME).names == (NAME,)
    assert "It works" not in reply.body
    assert server.certificate(NAME)["State"] in ("ordering", "placeholder")

    relay.open()
    server.wait_valid(NAME)
    assert server.get_tls(NAME).status == 200


def test_nobody_is_redirected_to_a_placeholder(site):
    relay = site.relay()
    server = site.server(site.ca())
    server.vhost(NAME)
    server.vhost(NAME, tls_on=False, body="AcmeRequireHttps permanent")
    relay.shut()
    server.start()
    relay.wait_waiting()
    assert server.get(host=NAME).status == 200

    relay.open()
    server.wait_valid(NAME)
    reply = server.get("/a?b", host=NAME)
    assert reply.status == 301
    assert reply.headers["location"] == f"https://{NAME}/a?b"


@pytest.mark.parametrize("kind, status", [("temporary", 302),
                                          ("permanent", 301)])
def test_https_is_required_when_configured(site, kind, status):
    server = site.server(site.ca())
    server.part("require", f"AcmeRequireHttps {kind}\n")
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)

    assert server.get(host=NAME).status == status
    assert server.get(host="localhost").status == 200
    for target, path in {
            "/a/%41%0d%0a?b=%26&c": "/a/%41%0d%0a?b=%26&c",
            f"http://{NAME}/a?b=c": "/a?b=c",
            f"http://{NAME}?b": "/?b",
            f"HTTP://{NAME}:80": "/"}.items():
        reply = server.get(target, host=NAME)
        assert reply.status == status, target
        assert reply.headers["location"] == f"https://{NAME}{path}", target
    reply = server.get("*", host=NAME, method="OPTIONS")
    assert reply.status == 200
    assert "location" not in reply.headers
    reply = server.get_tls(NAME)
    assert reply.status == 200
    assert ("strict-transport-security" in reply.headers) \
        == (kind == "permanent")


def test_two_servers_behind_one_port_answer_their_own_tokens(site):
    ca = site.ca()
    front = site.server(ca)
    back = site.server(ca)
    front.vhost("front.example.org")
    back.vhost("back.example.org")
    front.part("pass", "ProxyPreserveHost on\n"
                       f"ProxyPass / http://127.0.0.1:{back.http_port}/\n")
    front.start()               # first: the CA looks for both there
    back.start()
    front.wait_valid("front.example.org")
    back.wait_valid("back.example.org")


def test_a_reload_while_the_ca_validates_costs_nothing(site):
    relay = site.relay()
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME, "example.org")
    relay.shut()
    server.start()
    relay.wait_waiting()
    server.graceful()
    server.graceful()
    relay.open()
    server.wait_valid(NAME)

    assert ca.count("order") == 1
    assert ca.count("account") == 1
    assert not server.failures(NAME)


@pytest.mark.parametrize("step", ["order", "authz", "challenge", "finalize",
                                  "certificate"])
def test_an_order_is_resumed_after_a_reload_at_any_step(site, step):
    ca = site.proxied_ca()
    held = ca.hold(step, reply=True)
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    held.wait()
    server.graceful()
    held.release()
    server.wait_valid(NAME)

    # Of an order whose reply was lost nobody knows.
    assert ca.count("order") == (2 if step == "order" else 1)
    assert not server.failures(NAME)
