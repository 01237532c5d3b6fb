"""A CA that answers nonsense at any step: the server lives, and goes on."""

import pytest

from lib import proxy
from lib.rows import Rows
from lib.wait import seconds_until, wait_until

NAME = "www.example.org"

ANSWERS = {"500": proxy.status(500), "429": proxy.status(429),
           "503": proxy.status(503), "garbage": proxy.garbage,
           "empty": proxy.empty, "reset": proxy.reset,
           "truncated": proxy.truncated}

# What does no harm: of these replies the body does not matter, or the order is
# looked at, which went on.
HARMLESS = {("nonce", "truncated"), ("challenge", "garbage"),
            ("challenge", "empty"), ("finalize", "truncated")}


def lives(server, workers):
    """Nobody crashed: the workers are those from before."""
    assert server.running
    assert server.get().status == 200
    assert set(workers) <= set(server.workers)


@pytest.mark.parametrize("step", proxy.STEPS)
def test_wrong_answers_at_a_step(site, step):
    ca = site.proxied_ca()
    ca.answer(proxy.status(500), step)
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_failed(NAME)
    workers = server.workers

    harmful = [name for name in ANSWERS if (step, name) not in HARMLESS]
    for count, name in enumerate(harmful, start=2):
        ca.answer(ANSWERS[name], step)
        server.renew(NAME)
        server.wait_failed(NAME, count)
        wait_until(lambda: server.journal(NAME)["attempts"] == count,
                   f"attempt {count} ({name}) is in the journal")
        lives(server, workers)

    assert server.look(NAME).self_signed
    ca.forward()
    server.renew(NAME)
    server.wait_valid(NAME)
    assert server.journal(NAME)["attempts"] == 0


@pytest.mark.parametrize("step", ["account", "order", "challenge",
                                  "finalize", "certificate"])
def test_a_reply_that_is_lost_once(site, step):
    """The CA did what was asked; the client is not told, and asks again."""
    ca = site.proxied_ca()
    ca.answer(proxy.once(proxy.lost), step)
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    wait_until(lambda: server.failures(NAME) or server.installed(NAME),
               "the order has ended")
    if server.failures(NAME):
        server.renew(NAME)
    server.wait_valid(NAME)
    assert len([request for request in ca.seen("order")
                if request.status == 201]) == 1


def test_an_answer_without_an_end_is_left(site):
    ca = site.proxied_ca()
    ca.answer(proxy.huge, "directory")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_failed(NAME)
    lives(server, server.workers)

    ca.forward()
    ca.answer(proxy.huge, "certificate")
    server.renew(NAME)
    server.wait_failed(NAME, 2)
    ca.forward()
    server.renew(NAME)
    server.wait_valid(NAME)


def test_a_slow_ca_is_waited_for(site):
    ca = site.proxied_ca()
    ca.answer(proxy.slow(1), *proxy.STEPS)
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    assert not server.failures(NAME)


def test_a_url_of_the_ca_that_is_not_https_is_refused(site):
    ca = site.proxied_ca()
    ca.answer(proxy.rewrite(b'"https://', b'"http://'), "directory")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    assert "https" in server.wait_failed(NAME)


def test_a_token_that_is_none_is_refused(site):
    tokens = ["../../../etc/passwd", "a/b", "a b", "", "$(reboot)", "x" * 4000]
    rows = Rows(site, {token[:20]: token for token in tokens})
    for row in rows.rows:
        row.ca.answer(proxy.rewrite_tokens(row.value), "authz")
    rows.server.start()

    def is_refused(row):
        rows.server.wait_failed(row.domain)
        assert not row.ca.count("challenge")

    rows.each(is_refused)
    assert rows.server.running


def test_hostile_sentences_are_shown_harmless(site):
    ca = site.proxied_ca()
    hostile = ("\x1b[31mred\n[notice] forged line\r\n<script>alert(1)"
               "</script>\x00" + "long " * 5000)
    ca.answer(proxy.status(403, detail=hostile, kind="unauthorized"), "order")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    told = server.wait_failed(NAME)
    shown = server.wait_state(NAME, "failed")

    assert len(told) < 2500
    assert "\x1b" not in server.log_text and "\x00" not in server.log_text
    assert not server.matching(r"^\[notice\] forged")
    assert len(shown["Problem"]) < 2500
    assert int(server.status()["AcmeCertificates"]) == 1
    page = server.get("/server-status", port=server.status_port).body
    assert "<script>" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_honoured(site, code):
    ca = site.proxied_ca()
    ca.answer(proxy.status(code, retry_after=1234, kind="rateLimited",
                           detail="too many certificates"), "order")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    assert "too many certificates" in server.wait_failed(NAME)
    shown = server.wait_state(NAME, "failed")
    assert 1200 < seconds_until(shown["NextAt"]) < 1500
    asked = ca.count("order")
    server.restart()
    shown = server.wait_state(NAME, "failed")
    assert 1190 < seconds_until(shown["NextAt"]) < 1500
    assert ca.count("order") == asked


def moved(where, code=301):
    async def action(_exchange):
        return proxy.web.Response(status=code, headers={"Location": where})
    return action


def test_a_directory_that_moved_is_followed(site):
    """To another server, whose URLs the keeper then takes from a worker."""
    ca = site.proxied_ca()
    old = site.proxy(ca.pebble)
    old.answer(moved(ca.url), "directory")
    server = site.server(old)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    assert not server.failures(NAME)
    assert not old.count("nonce", "account", "order")

    ca.answer(moved("http://ca.example/dir"), "directory")
    server.renew(NAME)
    assert "leads to http://ca.example/dir" in server.wait_failed(NAME)


def test_a_ca_that_forgot_the_order_and_the_account(site):
    """It has other words for both than those of RFC 8555."""
    ca = site.proxied_ca()
    ca.answer(proxy.status(500), "finalize")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_failed(NAME)
    ca.forward()

    async def page(_exchange):
        return proxy.web.Response(status=404, text="<title>No such page"
                                  "</title>", content_type="text/html")
    ca.answer(page, "order-poll")
    ca.answer(proxy.times(1, proxy.status(401, kind="unauthorized",
                                          detail="Account not found")),
              "order")
    lost = proxy.status(404, kind="malformed", detail="not found")
    ca.answer(proxy.when(lambda asked: asked.get("onlyReturnExisting"), lost),
              "account")
    count = ca.count("order")
    server.renew(NAME)
    wait_until(lambda: ca.count("order") >= count + 2, "it is ordered anew")
    ca.forward()
    wait_until(lambda: server.installed(NAME) or len(
        server.failures(NAME)) > 1, "the order has ended")
    if not server.installed(NAME):
        server.renew(NAME)
    server.wait_valid(NAME)
    assert server.matching("no longer knows the account")


def test_a_certificate_by_another_name(site):
    """And with words before its blocks, and between."""
    ca = site.proxied_ca()

    async def relabelled(exchange):
        reply = await exchange.forward()
        body = reply.body.replace(b"-----BEGIN", b"Subject: x\n-----BEGIN")
        headers = {**reply.headers, "Content-Type": "text/plain"}
        return proxy.web.Response(body=body, headers=headers)

    ca.answer(relabelled, "certificate")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    assert not server.failures(NAME)
