"""acmectl renew: which certificates, why not, what it costs, how it ended."""

import json
import pathlib
import threading

import pytest

from lib import proxy
from lib.tls import context
from lib.wait import stays, wait_until
from test_limits import HOST, LimitedPebble

NAME = "www.example.org"
OTHER = "www.example.net"
NOBODY = "127.0.0.9"            # nobody listens there
STAGING = "acme-staging-v02.api.letsencrypt.org"


def started(site, ca, *names, body="AcmeChallenges http-01"):
    """A server whose certificates are valid."""
    server = site.server(ca)
    for name in names:
        server.vhost(name, body=body)
    return server


def run(server, *names):
    server.start()
    for name in names:
        server.wait_valid(name)


def results(server, *arguments):
    """The exit code, and {id: what came of it}."""
    code, said = server.acmectl("renew", *arguments, "--json")
    return code, {row["id"]: row for row in json.loads(said)}


def archives(server, name):
    return sorted(path.name for path in (server.store / "archive" / name).iterdir())


def events(server, name):
    return [event["event"] for event in server.journal(name)["events"]]


def log_of(command):
    """A call that reads the lines which a command of AcmeDns has logged."""
    log = pathlib.Path(f"{command}.log")
    return lambda: log.read_text().splitlines() if log.exists() else []


class Calls:
    """A command of any hook, and what it was called for."""

    def __init__(self, folder):
        self.log = folder / "calls"
        self.log.touch()
        self.command = folder / "call.sh"
        self.command.write_text(f"#!/bin/sh\necho $1 $ACME_EVENT >>{self.log}\n")
        self.command.chmod(0o755)
        self.log.chmod(0o666)

    def configure(self, server):
        server.part("calls", "".join(
            f"AcmeHook {kind} {self.command} {kind}\n"
            for kind in ("pre", "post", "deploy", "notify")))

    @property
    def lines(self):
        return self.log.read_text().splitlines()


def test_what_is_not_due_is_not_ordered_and_why_is_said(site):
    ca = site.proxied_ca()
    server = started(site, ca, NAME, OTHER)
    run(server, NAME, OTHER)
    code, said = server.acmectl("renew", NAME)
    assert code == 1
    assert said.startswith(f"{NAME}: not due: renewal is planned at 20")
    assert "as AcmeRenewWindow is by default; valid until 20" in said
    assert "--force would renew it now: no rate limits of 127.0.0.1" in said
    server.part("window", "AcmeRenewWindow 40%\n")
    server.graceful()
    wait_until(lambda: "because AcmeRenewWindow is 40%; valid until"
               in server.acmectl("renew", NAME)[1], "the window is named")

    for wrong in ((), (NAME, "--all"), ("--all", "--due"),
                  (NAME, "--chain", "--dry-run"), (NAME, "--chain", "--force")):
        assert server.acmectl("renew", *wrong)[0] == 2, wrong
    code, said = server.acmectl("renew", NAME, "nobody.example.org")
    assert code == 1 and "no certificate has the id nobody" in said
    assert server.acmectl("renew", "--due") == (0, "no certificate is due\n")
    code, rows = results(server, "--all")
    assert code == 0
    assert {row["result"] for row in rows.values()} == {"skipped"}
    assert len(rows) == 2 and all(row["detail"].startswith("not due: ")
                                  for row in rows.values())
    # One that is named was wanted, and so is a failure.
    assert results(server, NAME, OTHER, NAME)[0] == 1
    assert len(ca.orders) == 2

    held = ca.hold("order")
    server.vhost("new.example.org")
    server.graceful()
    held.wait()
    code, rows = results(server, "--due")
    assert code == 0 and list(rows) == ["new.example.org"]
    assert rows["new.example.org"]["result"] == "requested"
    held.release()
    server.wait_valid("new.example.org")


def test_several_are_renewed_and_waited_for(site):
    ca = site.proxied_ca()
    server = started(site, ca, NAME, OTHER)
    run(server, NAME, OTHER)
    code, said = server.acmectl("renew", NAME, OTHER, "--force", "--wait")
    assert code == 0, said
    for name in (NAME, OTHER):
        said_at = [said.index(f" {name}: {event}") for event
                   in ("asked: renewal", "ordered: from ", "validated: 1 name",
                       f"installed: archive/{name}/2")]
        said_at.append(said.index(f"\n{name}: renewed, and served now; valid"))
        assert said_at == sorted(said_at)
        server.wait_served(name, server.live(name)[0].serial_number)
    assert said.count(": ordered: ") == 2       # nothing of before is told

    # The chain is the same, and so is the certificate.
    code, said = server.acmectl("renew", NAME, "--chain", "--wait")
    assert code == 0, said
    assert f"{NAME}: the CA has the same chain as before" in said

    # Nobody reloads: what is installed is an end.
    server.part("none", "AcmeActivate none\n")
    loads = server.loads
    server.graceful()
    server.wait(lambda: server.loads > loads, "it is read")
    code, rows = results(server, "--all", "--force", "--wait")
    assert code == 0
    assert {row["result"] for row in rows.values()} == {"installed"}
    assert "AcmeActivate none" in rows[NAME]["detail"]


def test_the_wait_ends_with_a_failure_or_its_time(site):
    ca = site.proxied_ca()
    server = started(site, ca, NAME, OTHER)
    run(server, NAME, OTHER)
    ca.pebble.restart()         # no authorization is valid from before
    ca.pebble.dns.add_a(NAME, NOBODY)
    code, rows = results(server, "--all", "--force", "--wait")
    assert code == 1
    assert rows[OTHER]["result"] == "renewed", rows
    assert rows[OTHER]["succeeded"]
    failed = rows[NAME]
    assert failed["result"] == "failed" and not failed["succeeded"], failed
    assert failed["reason"] and f"({failed['reason']})" in failed["detail"]
    assert "; next attempt at 20" in failed["detail"]

    held = ca.hold("order")
    code, said = server.acmectl("renew", NAME, "--wait", "--timeout", "2")
    assert code == 1 and "the time of --timeout is over" in said, said
    ca.pebble.dns.clear_a(NAME)
    held.release()
    # One that failed is due for who asks; or is renewed already.
    wait_until(lambda: server.acmectl("renew", "--all", "--wait")[0] == 0
               and len(server.installed(NAME)) == 2, "it is renewed")


def test_force_says_what_is_left_of_the_limits(netns, site):
    netns.hosts(HOST, address="127.0.0.2")
    server = started(site, site.ca(LimitedPebble), NAME)
    server.part("none", "AcmeActivate none\n")     # nobody waits for reloads
    server.start()
    server.wait_installed(NAME)
    title = "Let's Encrypt: "
    of_names = f"of 5 certificates for the same names ({NAME}) in 7 days"
    code, said = server.acmectl("renew", NAME)
    assert code == 1
    assert "--force would renew it now; left of the CA's rate limits:\n" in said
    assert f"{title}4 {of_names} are left\n" in said
    assert f"{title}299 of 300 new orders of an account in 3 h are" in said
    assert "the domain" not in said     # a renewal uses none of these
    code, rows = results(server, NAME, "--force", "--wait")
    assert code == 0 and f"{title}4 {of_names} are left" in rows[NAME]["limits"]
    for _ in range(3):
        code, said = server.acmectl("renew", NAME, "--force", "--wait")
        assert code == 0, said
    assert f"{title}1 {of_names} is left\n" in said
    code, rows = results(server, NAME, "--force", "--wait")
    assert code == 1 and rows[NAME]["result"] == "postponed"
    assert rows[NAME]["reason"] == "rate-limited"
    assert f"{title}0 {of_names} are left" in rows[NAME]["limits"]


def test_a_dry_run_tries_all_but_the_end_of_an_order(site):
    ca = site.proxied_ca()
    calls = Calls(site.folder)
    server = started(site, ca, NAME)
    calls.configure(server)
    run(server, NAME)
    wait_until(lambda: set(calls.lines) == {
        "pre pre", "post post", "notify installed", "deploy deploy"},
        "all is run for the order")
    before = server.journal(NAME), calls.lines, server.loads
    orders, finalized = len(ca.orders), ca.count("finalize")

    ca.pebble.restart()         # no authorization is valid from before
    code, said = server.acmectl("renew", NAME, "--dry-run")
    assert code == 0, said
    assert f" {NAME}: asked: dry run\n" in said
    assert f"\n{NAME}: dry run passed: 1 name validated by http-01, at 127.0.0.1" in said
    assert "no staging environment that is known" in said
    assert "not tried: the finalization" in said
    assert len(ca.orders) == orders + 1
    assert ca.count("finalize") == finalized
    assert archives(server, NAME) == ["1"]
    assert not list((server.store / "pending").glob("*/order.json"))
    after = server.journal(NAME)
    assert events(server, NAME)[-2:] == ["asked", "dry-run-passed"]
    for of_both in (before[0], after):
        del of_both["events"]
        of_both.pop("selfCheck", None)
    assert before[0] == after
    wait_until(lambda: calls.lines[len(before[1]):] == ["pre pre", "post post"],
               "pre and post are run, nothing else is")
    shown = server.certificate(NAME)
    assert shown["DryRun"] == "passed" and shown["State"] == "valid"

    ca.pebble.restart()         # no authorization is valid from before
    ca.pebble.dns.add_a(NAME, NOBODY)
    code, rows = results(server, NAME, "--dry-run")
    assert code == 1 and rows[NAME]["result"] == "failed"
    assert rows[NAME]["reason"] and NAME in rows[NAME]["detail"]
    shown = server.certificate(NAME)
    assert shown["DryRun"] == "failed" and shown["State"] == "valid"
    assert shown["Attempts"] == "0"
    assert shown["DryRunReason"] == rows[NAME]["reason"]
    assert "failed" not in events(server, NAME)
    assert not server.failures(NAME)
    _, said = server.acmectl("status", NAME)
    assert "dry run: failed at 20" in said
    wait_until(lambda: calls.lines[-2:] == ["pre pre", "post post"]
               and len(calls.lines) == len(before[1]) + 4,
               "pre and post are run for this one, too")
    assert server.loads == before[2] and archives(server, NAME) == ["1"]


def test_a_dry_run_outlives_its_worker_and_shuts_others_out(site):
    ca = site.proxied_ca()
    server = started(site, ca, NAME)
    run(server, NAME)
    held = ca.hold("order")
    ended = []
    thread = threading.Thread(
        target=lambda: ended.append(server.acmectl("renew", NAME, "--dry-run")))
    thread.start()
    held.wait()
    assert server.certificate(NAME)["DryRun"] == "under-way"
    for page in ("/server-status", f"/acme-status?id={NAME}"):
        shown = server.get(page, port=server.status_port).body
        assert "dry run" in shown.lower() and "under way since" in shown, page
    code, said = server.acmectl("renew", NAME, "--dry-run")
    assert code == 1 and "a dry run is under way already" in said
    server.kill(server.renewal_child)
    server.graceful()
    held.release()
    thread.join()
    (code, said), = ended
    assert code == 0 and "dry run passed" in said, said
    assert archives(server, NAME) == ["1"] and ca.count("finalize") == 1

    # Another request takes its place.
    held = ca.hold("order")
    thread = threading.Thread(
        target=lambda: ended.append(server.acmectl("renew", NAME, "--dry-run")))
    thread.start()
    held.wait()
    code, said = server.acmectl("renew", NAME, "--force")
    assert code == 0, said
    held.release()
    thread.join()
    assert ended[1][0] == 1 and "took its place" in ended[1][1], ended
    server.wait_valid(NAME, count=2)


def test_a_dry_run_that_is_replaced_removes_its_record(netns, site):
    netns.resolver("127.0.0.1")
    provider = site.challenge_dns(port=53)
    command = provider.command(site.folder)
    calls = Calls(site.folder)
    ca = site.proxied_ca(dns=provider.address)
    server = started(site, ca, NAME, body=(
        f"AcmeChallenges dns-01\nAcmeDns exec {command}"))
    calls.configure(server)
    run(server, NAME)
    set_and_removed = log_of(command)
    wait_until(lambda: len(set_and_removed()) == 2
               and "post post" in calls.lines, "the order has cleaned up")

    held = ca.hold("challenge")
    server.acmectl("renew", NAME, "--dry-run", "--timeout", "1")
    held.wait()
    assert set_and_removed()[2].startswith("present ")
    before = calls.lines.count("post post")
    code, said = server.acmectl("renew", NAME, "--chain")
    assert code == 0, said
    held.release()
    wait_until(lambda: len(set_and_removed()) == 4, "the record is removed")
    assert set_and_removed()[3] == set_and_removed()[2].replace(
        "present", "cleanup")
    wait_until(lambda: calls.lines.count("post post") == before + 1,
               "the batch ends with it")


@pytest.mark.long
def test_a_reload_leaves_no_record_of_a_dry_run(netns, site):
    netns.resolver("127.0.0.1")
    provider = site.challenge_dns(port=53)
    command = provider.command(site.folder)
    ca = site.proxied_ca(dns=provider.address)
    server = started(site, ca, NAME, body=(
        f"AcmeChallenges dns-01\nAcmeDns exec {command}"))
    run(server, NAME)
    set_and_removed = log_of(command)
    wait_until(lambda: len(set_and_removed()) == 2, "the order has cleaned up")

    held = ca.hold("challenge")
    server.acmectl("renew", NAME, "--dry-run", "--timeout", "1")
    held.wait()
    first = set_and_removed()[2]
    loads = server.loads
    server.graceful()
    server.wait(lambda: server.loads > loads, "it is read")
    held.release()
    wait_until(lambda: server.certificate(NAME)["DryRun"] == "passed",
               "it is begun anew, and passes")
    wait_until(lambda: first.replace("present", "cleanup")
               in set_and_removed(), "the next keeper removes it")
    wait_until(lambda: not list((server.store / "published").iterdir()),
               "and forgets it")
    lines = set_and_removed()
    assert sorted(lines) == sorted(
        line.replace(*words) for line in lines if line.startswith("present")
        for words in (("present", "present"), ("present", "cleanup")))


class StagingProxy(proxy.Proxy):
    """By the name of the staging environment, at its port and path."""

    address = "127.0.0.3"
    base = f"https://{STAGING}"

    def __init__(self, authority, ca):
        super().__init__(authority, ca, "staging")
        self.port = 443
        self.files = authority.server_files("staging", STAGING)
        self.serve("/directory", "staging-directory", self._directory)

    def start(self):
        self._thread.start()
        wait_until(lambda: self._loop, "the proxy is up")
        return self

    async def _directory(self, exchange):
        async with self.session.request(
                "GET", f"https://127.0.0.1:{self.pebble.port}/dir",
                headers={"Host": STAGING},
                ssl=context(self.authority.pem)) as answer:
            return proxy.web.Response(body=await answer.read(),
                                      content_type="application/json")


def test_a_dry_run_is_made_at_the_staging_environment(netns, site):
    netns.hosts(HOST, address="127.0.0.2")
    netns.hosts(STAGING, address="127.0.0.3")
    staging = StagingProxy(site.authority, site.ca())
    site.proxies.append(staging)
    site._started(staging)
    ca = site.ca(LimitedPebble)
    server = started(site, ca, NAME)
    run(server, NAME)
    code, said = server.acmectl("account", "show")
    assert code == 0 and STAGING not in said
    ca.stop()                   # nothing is asked of it

    code, said = server.acmectl("renew", NAME, "--dry-run")
    assert code == 0, said
    assert f"at Let's Encrypt (staging), {STAGING}\n" in said
    assert staging.count("order") == 1 and not staging.count("finalize")
    accounts = sorted(path.name.rpartition("-")[0] for path
                      in (server.store / "accounts").iterdir())
    assert accounts == [STAGING, HOST]
    assert STAGING in server.acmectl("account", "show")[1]
    code, said = server.acmectl("renew", NAME, "--dry-run")
    assert code == 0 and staging.count("account") == 1, said
    assert "Let's Encrypt" not in server.certificate(NAME).get("Limit", "")
    stays(lambda: archives(server, NAME) == ["1"], "nothing is installed", 1)
