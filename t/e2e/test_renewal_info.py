"""Renewal information: the CA says when, and what replaces what."""

import datetime
import email.utils

import pytest

from lib import proxy
from lib.clock import NEEDS_CLOCK
from lib.pebble import Pebble210, Several
from lib.proxy import RenewalInfo
from lib.tls import DAY, cert_id, rfc3339, utcnow
from lib.wait import seconds_until, stays, wait_until

NAME = "www.example.org"

ASKED = "own-renewal-info"

HOUR = datetime.timedelta(hours=1)


def started(site, ca, body="", **options):
    server = site.server(ca, **options)
    server.vhost(NAME, body=body)
    server.start()
    return server


def never_reloaded(site, ca):
    """Where no reload cuts off a request, each is made once."""
    server = site.server(ca)
    server.part("none", "AcmeActivate none\n")
    server.vhost(NAME)
    server.start()
    return server


def in_days(first, last):
    return utcnow() + first * DAY, utcnow() + last * DAY


def noted(server):
    return server.journal(NAME).get("renewalInfo", {})


def wait_noted(server, key="askAt"):
    """What the journal has of renewal information, when it has this."""
    wait_until(lambda: noted(server).get(key), f"{key} is in the journal")
    return noted(server)


def wait_next(server, first, last):
    """Until the next renewal is so many seconds ahead."""
    def is_there():
        at = server.certificate(NAME).get("NextAt")
        return at and first <= seconds_until(at) <= last

    server.wait(is_there, f"the next renewal is in {first} to {last} s")


def test_a_window_in_the_past_renews_at_once(site):
    ca = site.proxied_ca()
    info = RenewalInfo(ca)
    info.window(*in_days(50, 51))
    held = ca.hold(ASKED)
    server = started(site, ca)
    first = server.wait_valid(NAME)
    held.wait()
    leaf = server.live(NAME)[0]
    info.window(*in_days(-2, -1), certificate=leaf)
    held.release()

    second = server.wait_valid(NAME, count=2)
    assert second.serial != first.serial
    assert [order.get("replaces") for order in ca.orders] == [
        None, cert_id(leaf)]
    assert info.count(leaf) >= 1
    stays(lambda: len(server.installed(NAME)) == 2, "it is once", 3)


def test_a_window_in_the_future_is_waited_for(site):
    ca = site.proxied_ca()
    info = RenewalInfo(ca)
    info.window(*in_days(20, 22))
    server = started(site, ca)
    server.wait_valid(NAME)
    ca.wait_for(ASKED)
    wait_next(server, 20 * 86400 - 300, 22 * 86400)

    # The time is drawn once a window.
    drawn = server.certificate(NAME)["NextAt"]
    server.restart()
    assert server.certificate(NAME)["NextAt"] == drawn
    assert len(server.installed(NAME)) == 1


def restart(server):
    server.restart()


def graceful(server):
    server.graceful()


def kill_keeper(server):
    server.kill(server.keeper)
    server.wait_log("acme: keeper: started", 3)


def kill_child(server):
    server.kill(server.renewal_child)
    server.wait_log("acme: renewal: runs in child", 3)


@pytest.mark.parametrize("fraction", ["", ".123456789"])
@pytest.mark.parametrize("upset", [restart, graceful, kill_keeper,
                                   kill_child])
def test_window_and_pick_outlive(site, upset, fraction):
    ca = site.proxied_ca()
    info = RenewalInfo(ca)
    info.window(*in_days(20, 22))
    for key, value in info.default["suggestedWindow"].items():
        info.default["suggestedWindow"][key] = value.replace(
            "Z", f"{fraction}Z")
    server = started(site, ca)
    server.wait_valid(NAME)
    before = wait_noted(server, "pick")
    upset(server)
    info.retry_after = None
    stays(lambda: wait_noted(server, "pick") == before, "the same pick", 3)
    assert len(server.matching("renewal info: the CA suggests")) == 1


@NEEDS_CLOCK
def test_it_is_asked_again_when_the_ca_says_so_not_before(site, clock):
    ca = site.proxied_ca()
    info = RenewalInfo(ca, retry_after="3600")
    info.window(*in_days(20, 22))
    server = started(site, ca, environment=clock.environment)
    server.wait_valid(NAME)
    before = wait_noted(server, "pick")
    asked = ca.count(ASKED)
    clock.set("+50m")
    stays(lambda: ca.count(ASKED) == asked, "not before an hour", 5)

    # The same window: the same pick.
    clock.set("+65m")
    ca.wait_for(ASKED, asked + 1)
    wait_until(lambda: wait_noted(server)["askAt"] != before["askAt"],
               "the answer is in the journal")
    assert wait_noted(server, "pick")["pick"] == before["pick"]

    info.window(*in_days(10, 12))
    clock.set("+130m")
    ca.wait_for(ASKED, asked + 2)
    wait_next(server, 10 * 86400 - 300, 12 * 86400)
    wait_until(lambda: wait_noted(server)["pick"] != before["pick"],
               "drawn anew, as the window moved")
    assert len(server.matching("renewal info: the CA suggests")) == 2


@NEEDS_CLOCK
def test_a_window_that_moves_to_now_renews(site, clock):
    ca = site.proxied_ca()
    info = RenewalInfo(ca, retry_after="3600")
    info.window(*in_days(20, 22))
    server = started(site, ca, environment=clock.environment)
    server.wait_valid(NAME)
    wait_noted(server, "pick")
    info.window(*in_days(-1, -0.5), certificate=server.live(NAME)[0])
    clock.set("+65m")
    server.wait_valid(NAME, count=2)
    stays(lambda: len(server.installed(NAME)) == 2, "it is once", 3)


def failed_in_a_window(site, end):
    """What is shown when the renewal failed in one that ends then."""
    ca = site.proxied_ca()
    info = RenewalInfo(ca)
    info.window(*in_days(50, 51))
    held = ca.hold(ASKED)
    server = started(site, ca)
    server.wait_valid(NAME)
    held.wait()
    info.window(utcnow() - 20 * HOUR, utcnow() + end)
    ca.answer(proxy.status(500), "order")
    held.release()
    server.wait_failed(NAME)
    return server.wait_state(NAME, "failed")


def test_retries_are_within_the_window(site):
    """Its rest has room for six, but a CA bears one in twelve minutes."""
    shown = failed_in_a_window(site, 3 * HOUR)
    assert 25 * 60 < seconds_until(shown["NextAt"]) < 36 * 60


def test_retries_after_the_window_are_not_at_once(site):
    shown = failed_in_a_window(site, -3 * HOUR)
    assert 40 < seconds_until(shown["NextAt"]) < 70


def http_date(hours):
    return email.utils.format_datetime(utcnow() + hours * HOUR, usegmt=True)


@pytest.mark.parametrize("header, least, most", [
    ("3600", 1, 1), (lambda: http_date(2), 2, 2), (None, 6, 6), ("", 6, 6),
    ("soon", 6, 6), ("-5", 0, 6), ("0", 0, 6), ("1.5", 0, 6),
    ("99999999999999999999999", 6, 24), ("31536000", 24, 24),
    (lambda: http_date(1000), 24, 24), (lambda: http_date(-1000), 0, 6),
    ("Thu, 99 Foo 2026 99:99:99 GMT", 6, 6), ("3600, 7200", 0, 6),
    ("x" * 4000, 6, 6)],
    ids=["seconds", "date", "none", "empty", "word", "negative", "zero",
         "fraction", "absurd", "a year", "far date", "past date", "no date",
         "two", "long"])
def test_retry_after_may_be_anything(site, header, least, most):
    ca = site.proxied_ca()
    info = RenewalInfo(ca, header() if callable(header) else header)
    info.window(*in_days(20, 22))
    server = never_reloaded(site, ca)
    server.wait_installed(NAME)
    ask_in = seconds_until(wait_noted(server)["askAt"])
    assert least * 3600 * 0.8 < ask_in < most * 3600 * 1.2
    assert ask_in > 30              # a minute is the least
    asked = ca.count(ASKED)
    server.renew(NAME)
    server.wait_installed(NAME, 2)
    ca.wait_for(ASKED, asked + 1)
    assert not server.failures(NAME)
    assert ca.count(ASKED) == asked + 1


def test_no_wish_of_the_ca_is_followed_each_second(site):
    ca = site.proxied_ca()
    RenewalInfo(ca, retry_after="1").window(*in_days(20, 22))
    server = started(site, ca)
    server.wait_valid(NAME)
    wait_noted(server)          # else one that a reload cut off is repeated
    asked = ca.count(ASKED)
    stays(lambda: ca.count(ASKED) == asked, "a minute is the least", 6)


def test_the_administrator_sees_the_explanation(site):
    ca = site.proxied_ca()
    info = RenewalInfo(ca)
    info.window(*in_days(20, 22), explanation="https://ca.example/why")
    server = started(site, ca)
    server.wait_valid(NAME)         # no reload comes in between
    server.wait_log("https://ca.example/why")
    server.wait(lambda: server.certificate(NAME).get("Explanation")
                == "https://ca.example/why", "it is in server-status")
    page = server.get("/server-status", port=server.status_port).body
    assert "https://ca.example/why" in page
    assert wait_noted(server, "pick")


@pytest.mark.parametrize("url", [
    "javascript:alert(1)", "https://ca.example/\n[error] forged",
    "https://ca.example/<script>alert(1)</script>", "x" * 9000, 42, None,
    {"a": 1}, "https://" + "a" * 5000 + ".example/", "file:///etc/passwd",
    "https://ca.example/\x1b[31mred"])
def test_a_hostile_explanation_harms_nobody(site, url):
    ca = site.proxied_ca()
    info = RenewalInfo(ca)
    info.window(*in_days(20, 22))
    info.default["explanationURL"] = url
    server = started(site, ca)
    server.wait_valid(NAME)
    wait_noted(server, "pick")
    page = server.get("/server-status", port=server.status_port).body
    for text in (page, server.log_text):
        assert "<script" not in text and "\x1b" not in text
        assert "javascript:" not in text and "file:" not in text
    assert not server.matching(r"^\[error\] forged")
    assert not server.failures(NAME)


def test_a_renewal_by_hand_says_what_it_replaces(site):
    ca = site.proxied_ca()
    RenewalInfo(ca).window(*in_days(20, 22))
    server = started(site, ca)
    server.wait_valid(NAME)
    replaced = cert_id(server.live(NAME)[0])
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert ca.orders[1]["replaces"] == replaced


@pytest.mark.parametrize("problem", [
    proxy.status(409, kind="alreadyReplaced"),
    proxy.status(404, kind="malformed", detail="no such certificate"),
    proxy.status(403, kind="unauthorized", detail="not yours")],
    ids=["alreadyReplaced", "unknown", "another account's"])
def test_an_order_that_may_not_replace_is_made_without(site, problem):
    ca = site.proxied_ca()
    RenewalInfo(ca).window(*in_days(20, 22))
    server = started(site, ca)
    server.wait_valid(NAME)
    ca.answer(proxy.when(lambda asked: "replaces" in asked, problem), "order")
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert ["replaces" in request.asked for request in ca.seen("order")] == [
        False, True, False]
    assert not server.failures(NAME)


def test_nothing_is_replaced_where_the_ca_knows_no_renewal_info(site):
    ca = site.proxied_ca()
    server = started(site, ca)
    server.wait_valid(NAME)
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert not any("replaces" in order for order in ca.orders)


def test_it_can_be_switched_off(site):
    ca = site.proxied_ca()
    RenewalInfo(ca).window(*in_days(-2, -1))
    server = started(site, ca, "AcmeRenewalInfo off")
    server.wait_valid(NAME)
    stays(lambda: not ca.count(ASKED), "it is not asked for", 3)
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert not any("replaces" in order for order in ca.orders)


def window(start, end):
    return {"suggestedWindow": {"start": start, "end": end}}


def nested(depth):
    found = {}
    for _ in range(depth // 50):        # json.dumps() is recursive, too
        found = {"suggestedWindow": found}
    return found


def backwards():
    return {"suggestedWindow": {"start": rfc3339(utcnow() - DAY),
                                "end": rfc3339(utcnow() - 2 * DAY)}}


@pytest.mark.parametrize("answer", [
    proxy.status(500), proxy.status(404), proxy.status(429, retry_after=30),
    proxy.garbage, proxy.empty, proxy.reset, proxy.truncated,
    proxy.answer_json({}), proxy.answer_json([]),
    proxy.answer_json({"suggestedWindow": {"start": 1, "end": None}}),
    proxy.answer_json({"suggestedWindow": {"start": "now", "end": "then"}}),
    proxy.answer_json(backwards()),
    proxy.answer_json(window("2026-11-21T00:00:00Z", "2026-11-21T00:00:00Z")),
    proxy.answer_json(window("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z")),
    proxy.answer_json(window("2026-02-30T00:00:00Z", "2026-03-01T00:00:00Z")),
    proxy.answer_json(window("2" * 5000, "3" * 5000)),
    proxy.answer_json({"suggestedWindow": []}),
    proxy.answer_json({"suggestedWindow": {"start": {}, "end": []}}),
    proxy.answer_json(nested(5000)), proxy.answer_json("window"),
    proxy.answer_json(window(rfc3339(utcnow()), rfc3339(utcnow() + DAY)),
                      code=201),
    proxy.answer_json({}, 301, Location="/dir"),
    proxy.status(400, kind="badNonce"), proxy.status(503, retry_after=-7)])
def test_bad_information_fails_no_renewal(site, answer):
    ca = site.proxied_ca()
    RenewalInfo(ca)
    ca.answer(answer, ASKED)
    server = started(site, ca)
    server.wait_valid(NAME)
    ca.wait_for(ASKED)
    wait_next(server, 50 * 86400, 70 * 86400)   # as if there were none
    assert not server.failures(NAME)
    server.renew(NAME)
    server.wait_valid(NAME, count=2)


def test_a_ca_of_others_code_takes_what_we_replace(site):
    ca = site.ca210()
    server = started(site, ca)
    server.wait_valid(NAME)
    for count in (2, 3):
        server.renew(NAME)
        server.wait_valid(NAME, count=count)
    assert not server.failures(NAME)
    assert not server.matching("alreadyReplaced")


def test_a_ca_of_others_code_moves_its_window(site):
    ca = site.proxied_ca(Pebble210)
    held = ca.hold("renewal-info")
    server = started(site, ca)
    first = server.wait_valid(NAME)
    held.wait()
    ca.pebble.set_renewal_info(first.serial, *in_days(-2, -1),
                               explanation="https://ca.example/moved")
    replaced = cert_id(server.live(NAME)[0])
    held.release()
    server.wait_valid(NAME, count=2)
    server.wait_log("because: https://ca.example/moved")
    assert [order.get("replaces") for order in ca.orders] == [None, replaced]
    assert not server.failures(NAME)

    # What it says of the new one is in the journal.
    wait_until(lambda: noted(server).get("certId")
               == cert_id(server.live(NAME)[0])
               and noted(server).get("pick"), "a window of the new one")
    stays(lambda: len(server.installed(NAME)) == 2, "it is once", 3)


def test_nonsense_of_a_ca_of_others_code_fails_no_renewal(site):
    ca = site.proxied_ca(Pebble210)
    held = ca.hold("renewal-info")
    server = started(site, ca)
    first = server.wait_valid(NAME)
    held.wait()
    ca.pebble.set_renewal_reply(first.serial, '{"suggestedWindow": 1}')
    held.release()
    wait_noted(server)
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert not server.failures(NAME)


def test_the_ca_that_issued_is_asked(site):
    first, second = site.proxied_ca(), site.proxied_ca()
    infos = [RenewalInfo(ca) for ca in (first, second)]
    for info in infos:
        info.window(*in_days(20, 22))
    first.answer(proxy.status(500), "order")
    server = started(site, Several(first, second))
    server.wait_valid(NAME)
    leaf = server.live(NAME)[0]
    wait_noted(server)
    asked = infos[1].count()
    assert infos[1].count(leaf) == asked > 0
    assert not infos[0].count()

    # The other CA can't replace what it has not issued.
    first.forward()
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert [order.get("replaces") for order in first.orders] == [None]
    first.wait_for(ASKED)
    assert infos[0].count(server.live(NAME)[0]) == infos[0].count()
    assert infos[1].count() == asked


def test_it_is_ordered_without_replaces_once_and_no_more(site):
    """That one fails, too: nothing goes round in circles."""
    ca = site.proxied_ca()
    RenewalInfo(ca).window(*in_days(20, 22))
    server = started(site, ca)
    server.wait_valid(NAME)
    wait_noted(server)
    ca.answer(proxy.status(409, kind="alreadyReplaced"), "order")
    server.renew(NAME)
    server.wait_failed(NAME)
    stays(lambda: ca.count("order") == 3, "one more order", 2)
    assert ["replaces" in request.asked for request in ca.seen("order")] == [
        False, True, False]


def test_an_order_of_ours_that_has_replaced_it_is_resumed(site):
    """The reply was lost: the CA says 409 to the second one."""
    ca = site.proxied_ca(Pebble210)
    server = started(site, ca)
    server.wait_valid(NAME)
    ca.answer(proxy.once(proxy.lost), "order")
    server.renew(NAME)
    wait_until(lambda: server.failures(NAME)
               or len(server.installed(NAME)) == 2, "the order has ended")
    if len(server.installed(NAME)) < 2:
        server.renew(NAME)
    server.wait_valid(NAME, count=2)


def counted(ca):
    """Requests of the issuance: not directory, account, renewal info."""
    return ca.count() - ca.count("directory", "account", ASKED,
                                 "renewal-info")


def test_requests_of_a_certificate_and_of_its_renewal_information(
        site, record_property):
    """Asking is no part of issuance: one request beside at most eight."""
    ca = site.proxied_ca()
    RenewalInfo(ca).window(*in_days(20, 22))
    server = never_reloaded(site, ca)
    server.wait_installed(NAME)
    wait_noted(server, "pick")
    record_property("requests", counted(ca))
    assert counted(ca) <= 8
    assert ca.count(ASKED) == 1

    before = counted(ca)
    server.renew(NAME)
    server.wait_installed(NAME, 2)
    ca.wait_for(ASKED, 2)           # for the new one
    record_property("requests_of_renewal", counted(ca) - before)
    assert counted(ca) - before <= 8
    stays(lambda: ca.count(ASKED) == 2, "it is asked for once", 3)
