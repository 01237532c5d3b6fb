"""What an administrator sees: error log, server-status, acmectl."""

import json
import re

from lib import proxy
from lib.tls import utcnow
from lib.wait import seconds_until

NAME = "www.example.org"

DAY = 24 * 3600


def test_the_log_tells_each_step_once(site):
    server = site.server(site.ca())
    server.vhost(NAME, "example.org")
    server.start()
    served = server.wait_valid(NAME)
    server.wait_log(f"acme: {NAME}: reloaded")

    steps = [match[1] for match in server.matching(
        rf"acme: {re.escape(NAME)}: (\w+): ")]
    assert steps == ["ordered", "validated", "installed", "reloaded"]
    until = f"{served.not_after:%Y-%m-%d %H:%M:%S} UTC"
    installed = server.matching("installed: ")[0].string
    assert f"valid until {until}" in installed
    assert f"{served.serial:x}" in installed.lower()
    reloaded = server.matching("reloaded: ")[0].string
    assert f"{served.serial:x}" in reloaded.lower()
    ordered = server.matching("ordered: ")[0].string
    assert NAME in ordered and "example.org" in ordered


def test_server_status_has_lines_for_programs(site):
    server = site.server(site.ca())
    server.vhost(NAME, "example.org")
    server.start()
    served = server.wait_valid(NAME)
    shown = server.wait_state(NAME, "valid")
    keeper, renewal_child = server.keeper, server.renewal_child
    lines = server.status()

    assert lines["AcmeCertificates"] == "1"
    assert int(lines["AcmeKeeperPid"]) == keeper
    assert int(lines["AcmeRenewalPid"]) == renewal_child
    assert "AcmeReloadHeld" not in lines
    assert shown["Id"] == NAME
    assert re.split("[, ]+", shown["Names"]) == [NAME, "example.org"]
    assert int(shown["Serial"], 16) == served.serial
    assert abs(seconds_until(shown["ValidUntil"])
               - (served.not_after - utcnow()).total_seconds()) < 20
    assert seconds_until(shown["ValidFrom"]) < 0
    assert shown["NextStep"] == "renew"
    assert 55 * DAY < seconds_until(shown["NextAt"]) < 61 * DAY
    assert shown["Attempts"] == "0"


def test_server_status_has_a_section_for_people(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    page = server.get("/server-status", port=server.status_port).body
    assert re.search(r"<h\d[^>]*>[^<]*mod_acme", page)
    assert NAME in page
    assert "PRIVATE" not in page


def test_the_section_can_be_switched_off(site):
    server = site.server(site.ca())
    server.part("off", "AcmeServerStatus off\n")
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    assert not any(key.startswith("Acme") for key in server.status())
    page = server.get("/server-status", port=server.status_port).body
    assert "mod_acme" not in page.replace("mod_acme/", "")


def test_a_failure_is_shown_with_the_cas_sentence_and_the_next_time(site):
    ca = site.proxied_ca()
    ca.answer(proxy.status(500, detail="the dog ate the <b>key</b>"), "order")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    told = server.wait_failed(NAME)
    shown = server.wait_state(NAME, "failed")

    assert "the dog ate the" in told
    assert re.search(r"next attempt at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
                     told)
    assert "the dog ate the" in shown["Problem"]
    assert shown["Attempts"] == "1"
    assert seconds_until(shown["NextAt"]) < 80
    page = server.get("/server-status", port=server.status_port).body
    assert "the dog ate the" in page and "<b>key</b>" not in page
    event = server.journal(NAME)["events"][-1]
    assert event["event"] == "failed" and "the dog" in event["detail"]


def test_a_renewal_is_shown_while_it_runs(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    held = ca.hold("finalize")
    server.renew(NAME)
    held.wait()
    server.wait_state(NAME, "renewing")
    held.release()
    server.wait_valid(NAME, count=2)
    server.wait_state(NAME, "valid")


def test_acmectl_shows_what_the_status_page_shows(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    served = server.wait_valid(NAME)
    code, text = server.acmectl("status")
    assert code == 0
    assert NAME in text and "valid" in text

    code, text = server.acmectl("status", "--json")
    assert code == 0
    assert NAME in text and f"{served.serial:x}" in text.lower()
    assert json.loads(text)


def test_acmectl_says_so_when_nobody_answers_or_knows(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    code, text = server.acmectl("status")
    assert code in (1, 2) and text

    server.start()
    server.wait_valid(NAME)
    code, text = server.acmectl("renew", "nobody.example.org", "--force")
    assert code in (1, 2) and "nobody.example.org" in text
    code, text = server.acmectl("dance")
    assert code == 2


def test_acmectl_tells_of_a_failure(site):
    ca = site.proxied_ca()
    ca.answer(proxy.status(500), "order")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_failed(NAME)
    _, text = server.acmectl("status")
    assert "failed" in text and "the CA has a bad day" in text


def test_all_pages_give_the_same_reason(site):
    """Page, ?auto, acmectl and its JSON: code, whose fault, remedy."""
    ca = site.proxied_ca()
    ca.answer(proxy.status(403, kind="caa", detail="not in our CAA set"), "order")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_failed(NAME)
    lines = server.wait_state(NAME, "failed")
    _, text = server.acmectl("status", NAME)
    found, = json.loads(server.acmectl("status", NAME, "--json")[1])
    page = server.get("/server-status", port=server.status_port).body

    assert lines["Reason"] == found["reason"] == "caa-forbidden"
    assert lines["Fault"] == found["fault"] == "dns"
    assert lines["Remedy"] == found["remedy"] and found["remedy"]
    for shown in (text, page):
        assert "reason: caa-forbidden: " in shown
        assert "fault: dns" in shown
        assert f"remedy: {found['remedy']}" in shown
    assert server.journal(NAME)["reasonCode"] == "caa-forbidden"
