"""AcmeHook notify: the administrator's command is told what happens."""

import json

from lib import proxy

NAME = "www.example.org"


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
    server.part("hook", f"AcmeHook deploy {teller.command}\n")
    code, said = server.httpd_t()
    assert code and "AcmeHook" in said and "notify" in said
    server.part("hook", "AcmeHook notify /nonexistent\n")
    code, said = server.httpd_t()
    assert code and "/nonexistent" in said and "No such file" in said
