"""Renewal information: the CA says when, and what replaces what."""

import datetime
import email.utils
import time

import pytest

from lib import proxy
from lib.clock import NEEDS_CLOCK
from lib.pebble import Pebble210, Several
from lib.proxy import RenewalInfo
from lib.rows import Rows
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


def noted(server, name=NAME):
    return server.journal(name).get("renewalInfo", {})


def wait_noted(server, key="askAt", name=NAME):
    """What the journal has of renewal information, when it has this."""
    wait_until(lambda: noted(server, name).get(key),
               f"{key} is in the journal")
    return noted(server, name)


def wait_next(server, first, last, name=NAME):
    """Until the next renewal is so many seconds ahead."""
    def is_there():
        at = server.certificate(name).get("NextAt")
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
    assert 0 < seconds_until(shown["NextAt"]) < 70


def http_date(hours):
    return email.utils.format_datetime(utcnow() + hours * HOUR, usegmt=True)


RETRIES = {                         # hours, at least and at most
    "seconds": ("3600", 1, 1), "date": (lambda: http_date(2), 2, 2),
    "none": (None, 6, 6), "empty": ("", 6, 6), "word": ("soon", 6, 6),
    "negative": ("-5", 0, 6), "zero": ("0", 0, 6), "fraction": ("1.5", 0, 6),
    "absurd": ("99999999999999999999999", 6, 24),
    "a year": ("31536000", 24, 24),
    "far date": (lambda: http_date(1000), 24, 24),
    "past date": (lambda: http_date(-1000), 0, 6),
    "no date": ("Thu, 99 Foo 2026 99:99:99 GMT", 6, 6),
    "two": ("3600, 7200", 0, 6), "long": ("x" * 4000, 6, 6)}


def test_retry_after_may_be_anything(site):
    rows = Rows(site, RETRIES)
    rows.server.part("none", "AcmeActivate none\n")
    for row in rows.rows:
        header, _, _ = row.value
        info = RenewalInfo(row.ca, header() if callable(header) else header)
        info.window(*in_days(20, 22))
    rows.server.start()
    rows.each(lambda row: rows.server.wait_installed(row.domain))

    def asks_again(row):
        _, least, most = row.value
        at = wait_noted(rows.server, name=row.domain)["askAt"]
        asked, = row.ca.seen(ASKED)
        since = time.monotonic() - asked.at
        ask_in = seconds_until(at) + since
        assert least * 3600 * 0.8 < ask_in < most * 3600 * 1.2
        assert ask_in > 30              # a minute is the least

    rows.each(asks_again)
    rows.each(lambda row: rows.server.renew(row.domain))
    rows.each(lambda row: rows.server.wait_installed(row.domain, 2))
    rows.each(lambda row: row.ca.wait_for(ASKED, 2))
    rows.none_failed()


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


EXPLANATIONS = [
    "javascript:alert(1)", "https://ca.example/\n[error] forged",
    "https://ca.example/<script>alert(1)</script>", "x" * 9000, 42, None,
    {"a": 1}, "https://" + "a" * 5000 + ".example/", "file:///etc/passwd",
    "https://ca.example/\x1b[31mred"]


@pytest.mark.dense
def test_a_hostile_explanation_harms_nobody(site):
    rows = Rows(site, {repr(url)[:60]: url for url in EXPLANATIONS})
    for row in rows.rows:
        info = RenewalInfo(row.ca)
        info.window(*in_days(20, 22))
        info.default["explanationURL"] = row.value
    server = rows.server
    server.start()
    rows.all_valid()
    rows.each(lambda row: wait_noted(server, "pick", row.domain))
    page = server.get("/server-status", port=server.status_port).body
    for text in (page, server.log_text):
        assert "<script" not in text and "\x1b" not in text
        assert "javascript:" not in text and "file:" not in text
    assert not server.matching(r"^\[error\] forged")
    rows.none_failed()


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


BAD = {
    "500": proxy.status(500), "404": proxy.status(404),
    "429": proxy.status(429, retry_after=30), "garbage": proxy.garbage,
    "empty": proxy.empty, "reset": proxy.reset, "truncated": proxy.truncated,
    "no members": proxy.answer_json({}), "list": proxy.answer_json([]),
    "no texts":
        proxy.answer_json({"suggestedWindow": {"start": 1, "end": None}}),
    "words":
        proxy.answer_json({"suggestedWindow": {"start": "now", "end": "then"}}),
    "backwards": proxy.answer_json(backwards()),
    "no time":
        proxy.answer_json(window("2026-11-21T00:00:00Z",
                                 "2026-11-21T00:00:00Z")),
    "from the end":
        proxy.answer_json(window("9999-12-31T23:59:59Z",
                                 "0001-01-01T00:00:00Z")),
    "no day":
        proxy.answer_json(window("2026-02-30T00:00:00Z",
                                 "2026-03-01T00:00:00Z")),
    "long": proxy.answer_json(window("2" * 5000, "3" * 5000)),
    "a list as window": proxy.answer_json({"suggestedWindow": []}),
    "objects":
        proxy.answer_json({"suggestedWindow": {"start": {}, "end": []}}),
    "nested": proxy.answer_json(nested(5000)),
    "text": proxy.answer_json("window"),
    "201":
        proxy.answer_json(window(rfc3339(utcnow()), rfc3339(utcnow() + DAY)),
                          code=201),
    "301": proxy.answer_json({}, 301, Location="/dir"),
    "badNonce": proxy.status(400, kind="badNonce"),
    "503": proxy.status(503, retry_after=-7)}


@pytest.mark.dense
@pytest.mark.slow
def test_bad_information_fails_no_renewal(site):
    rows = Rows(site, BAD)
    for row in rows.rows:
        RenewalInfo(row.ca)
        row.ca.answer(row.value, ASKED)
    rows.server.start()
    rows.all_valid()
    rows.each(lambda row: row.ca.wait_for(ASKED))
    # As if there were none.
    rows.each(lambda row: wait_next(rows.server, 50 * 86400, 70 * 86400,
                                    row.domain))
    rows.none_failed()
    rows.all_renew(2)


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
