"""AcmeHook: the administrator's commands, written for certbot as they are."""

import json
import os
import stat

from lib import proxy
from lib.clock import NEEDS_CLOCK

NAME = "www.example.org"
NAMES = [NAME, "shop.example.org", "mail.example.org"]


class Teller:
    """A command that keeps what it was told."""

    def __init__(self, folder):
        self.told = folder / "told"
        self.told.mkdir()
        self.command = folder / "teller"
        self.command.write_text(
            "#!/bin/sh\n"
            f"to=$(mktemp -d {self.told}/.XXXXXX)\n"
            'env >"$to/env"; cat >"$to/json"; echo "it is told: $ACME_EVENT"\n'
            'mv "$to" "${to%/*}/$ACME_EVENT.$$"\n')
        self.command.chmod(0o755)

    def events(self, word):
        """The environments that came with this event, and the JSON."""
        found = []
        for folder in sorted(self.told.glob(f"{word}.*")):
            env = dict(line.split("=", 1) for line
                       in (folder / "env").read_text().splitlines())
            found.append((env, json.loads((folder / "json").read_text())))
        return found


def notified(site, ca, **options):
    teller = Teller(site.folder)
    server = site.server(ca, **options)
    server.part("hook", f"AcmeHook notify {teller.command} one two\n")
    server.vhost(NAME)
    return server, teller


def test_an_installation_is_told(site):
    server, teller = notified(site, site.ca())
    # Who reads what the command says ends with a reload.
    server.part("none", "AcmeActivate none\n")
    server.start()
    server.wait_installed(NAME)
    server.wait(lambda: teller.events("installed"), "it is told")
    (env, told), = teller.events("installed")
    assert env["ACME_EVENT"] == "installed"
    assert env["ACME_ID"] == told["id"] == NAME
    assert env["ACME_LIVE"] == str(server.store / "live" / NAME)
    assert env["ACME_NOT_AFTER"]
    assert told["names"] == [NAME]
    server.wait_log("it is told: installed")


def test_what_waits_for_the_administrator_is_stuck(site):
    server, teller = notified(site, site.ca())
    server.vhost(NAME, body="AcmeProfile never required")
    server.start()
    server.wait_failed(NAME)
    server.wait(lambda: teller.events("stuck"), "it is told")
    env, _ = teller.events("stuck")[0]
    assert "AcmeProfile" in env["ACME_DETAIL"]


def test_changed_terms_are_told(site):
    ca = site.proxied_ca()
    server, teller = notified(site, ca)
    server.start()
    server.wait_valid(NAME)
    server.wait_quiet(NAME)
    assert not teller.events("terms-changed")
    ca.change("directory", proxy.meta(termsOfService="https://ca.example/new"))
    server.restart()
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    server.wait(lambda: teller.events("terms-changed"), "it is told")
    assert server.matching(r"acme:warn\].*terms of service have changed: "
                           r"read https://ca.example/new")


def test_httpd_t_names_what_is_wrong_with_a_hook(site):
    server, teller = notified(site, site.ca())
    server.part("hook", f"AcmeHook renew {teller.command}\n")
    code, said = server.httpd_t()
    assert code and "AcmeHook" in said and "pre, post, deploy, notify" in said
    server.part("hook", "AcmeHook notify /nonexistent\n")
    code, said = server.httpd_t()
    assert code and "/nonexistent" in said and "No such file" in said


class Firewall:
    """A script of pre and post, and what it did."""

    def __init__(self, folder):
        self.log = folder / "firewall"
        self.broken = folder / "broken"
        self.stuck = folder / "stuck"
        self.script = folder / "firewall.sh"
        self.script.write_text(
            "#!/bin/sh -e\n"
            f"[ ! -e {self.broken} ] || [ $1 = close ] || "
            "{ echo no such table >&2; exit 2; }\n"
            f"[ ! -e {self.stuck} ] || [ $1 = open ] || "
            "{ echo it is locked >&2; exit 4; }\n"
            f'echo "$1${{RENEWED_DOMAINS:+ ok $RENEWED_DOMAINS}}'
            f'${{FAILED_DOMAINS:+ failed $FAILED_DOMAINS}}" >>{self.log}\n')
        self.script.chmod(0o755)

    def configure(self, server):
        server.part("firewall", f"AcmeHook pre {self.script} open\n"
                    f"AcmeHook post {self.script} close\n")

    @property
    def lines(self):
        return self.log.read_text().splitlines() if self.log.exists() else []

    @property
    def words(self):
        return [line.split()[0] for line in self.lines]

    def wait_closed(self, server, times):
        """Opened and closed in turn; so often at least."""
        server.wait(lambda: self.words.count("close") >= times,
                    f"the firewall was closed {times} times")
        assert self.words == ["open", "close"] * (len(self.words) // 2)


def test_a_firewall_is_open_while_names_are_validated(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    firewall = Firewall(site.folder)
    firewall.configure(server)
    for name in NAMES:
        server.vhost(name)
    held = ca.hold("challenge")
    server.start()
    # All orders answer their challenges at the same time.
    server.wait(lambda: ca.waiting.get("challenge", 0) == len(NAMES),
                "all orders are there")
    assert firewall.lines == ["open"]
    held.release()
    for name in NAMES:
        server.wait_valid(name)
    firewall.wait_closed(server, 1)
    assert sorted(firewall.lines[1].split()[2:]) == sorted(NAMES)
    assert len(firewall.lines) == 2

    ca.pebble.restart()         # no authorization is valid from before
    ca.answer(proxy.status(403, kind="unauthorized"), "challenge")
    server.renew(NAME)
    server.wait_failed(NAME)
    firewall.wait_closed(server, 2)
    assert firewall.lines[3] == f"close failed {NAME}"
    ca.forward("challenge")

    # What fails to open is closed all the same, and its order failed.
    firewall.broken.touch()
    server.renew(NAME)
    failure = server.wait_failed(NAME, 2)
    assert f"AcmeHook pre failed: {firewall.script}: exit status 2: " \
        "no such table" in failure
    server.wait(lambda: server.certificate(NAME)["Reason"] == "hook-failed",
                "the reason is shown")
    server.wait(lambda: firewall.words[4:] == ["close"], "post was run")
    server.wait_log("pre: .*no such table")

    # What fails to close is shown, and closed after the next orders.
    firewall.broken.unlink()
    firewall.stuck.touch()
    ca.answer(proxy.status(403, kind="unauthorized"), "challenge")
    server.renew(NAME)
    server.wait(lambda: "exit status 4: it is locked" in
                server.certificate(NAME).get("PostFailure", ""), "it is shown")
    server.wait_log("post: failed: .*may still be open")
    assert "post: a command failed 1 time" in server.acmectl(
        "status", NAME)[1].replace("  ", " ")
    assert firewall.words[5:] == ["open"]
    firewall.stuck.unlink()
    server.renew(NAME)
    server.wait(lambda: firewall.words[-1] == "close"
                and "PostFailing" not in server.certificate(NAME),
                "post was run")


def test_a_firewall_is_closed_whatever_ends(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    firewall = Firewall(site.folder)
    firewall.configure(server)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    firewall.wait_closed(server, 1)

    ends = [lambda: server.kill(server.keeper),
            lambda: server.kill(server.renewal_child),
            server.graceful,
            lambda: (server.kill_parent(), server.start())]
    for times, end in enumerate(ends, 2):
        before = len(firewall.lines)
        ca.pebble.restart()     # no authorization is valid from before
        held = ca.hold("challenge")
        server.renew(NAME)
        held.wait()
        server.wait(lambda: len(firewall.lines) == before + 1, "it is open")
        end()
        held.release()
        firewall.wait_closed(server, times)
        # Until no reload is to come.
        server.wait_valid(NAME, count=times)


class Deployer:
    """A script for certbot that copies to another daemon."""

    def __init__(self, folder):
        self.out = folder / "mail"
        self.out.mkdir(mode=0o700)
        self.ready = folder / "ready"
        self.runs = folder / "runs"
        self.script = folder / "deploy.sh"
        self.script.write_text(
            "#!/bin/sh -e\n"
            f"echo ${{RENEWED_LINEAGE##*/}} >>{self.runs}\n"
            f"[ -e {self.ready} ] || {{ echo mail is down; exit 75; }}\n"
            "umask 077\n"
            "for domain in $RENEWED_DOMAINS; do\n"
            '  cat "$RENEWED_LINEAGE/privkey.pem" '
            f'"$RENEWED_LINEAGE/fullchain.pem" >{self.out}/$domain.pem\n'
            "done\n")
        self.script.chmod(0o755)

    @property
    def count(self):
        return len(self.runs.read_text().split()) if self.runs.exists() else 0


@NEEDS_CLOCK
def test_a_deploy_that_fails_is_repeated_until_it_succeeds(site, clock):
    deployer = Deployer(site.folder)
    server, teller = notified(site, site.ca(), environment=clock.environment)
    server.part("deploy", f"AcmeHook deploy {deployer.script}\n"
                f"AcmeHook deploy {teller.command} second\n")
    server.start()
    server.wait_valid(NAME)
    server.wait(lambda: teller.events("deploy-failed"), "it is told")
    env, _ = teller.events("deploy-failed")[0]
    assert "exit status 75: mail is down" in env["ACME_DETAIL"]
    server.wait(lambda: teller.events("deploy"), "its neighbour is run")
    env, told = teller.events("deploy")[0]
    assert env["RENEWED_LINEAGE"] == str(server.store / "live" / NAME)
    assert env["RENEWED_DOMAINS"] == NAME and told["names"] == [NAME]
    key = (server.store / "live" / NAME / "privkey.pem").read_text()
    assert key.split("\n")[1] not in json.dumps([env, told])

    shown = server.certificate(NAME)
    assert shown["DeployFailing"] == "1" and "75" in shown["DeployFailure"]
    assert "deploy: a command failed 1 time" in server.acmectl(
        "status", NAME)[1].replace("  ", " ")
    assert deployer.count == 1
    clock.set(100)
    server.wait(lambda: deployer.count == 2, "it is tried again")
    server.wait(lambda: "attempt 2" in server.log_text, "it fails again")
    deployer.ready.touch()
    clock.set(400)
    server.wait(lambda: "DeployFailing" not in server.certificate(NAME),
                "it has succeeded")
    copy = deployer.out / f"{NAME}.pem"
    assert copy.read_text().startswith(key)
    assert stat.S_IMODE(os.stat(copy).st_mode) == 0o600
    server.graceful()
    assert server.keeper
    clock.set(100000)
    server.wait_state(NAME, "valid")
    assert deployer.count == 3
    assert len(teller.events("deploy")) == 1
    assert len(teller.events("deploy-failed")) == 1
