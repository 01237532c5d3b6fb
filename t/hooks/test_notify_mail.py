"""notify-mail: through a real sendmail program to a server of SMTP."""

import email
import email.policy
import os
import pwd
import re

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from lib.hook import FOLDER, event, run_hook
from lib.ports import free_port
from lib.wait import PATIENCE

HEADER = FOLDER.parents[1] / "mod_acme" / "ipc" / "acme_hook_event.h"


class Sink(Message):
    """Keeps the mails, and for whom they came."""

    def __init__(self):
        super().__init__()
        self.mails = []

    def prepare_message(self, session, envelope):
        mail = email.message_from_bytes(envelope.content,
                                        policy=email.policy.default)
        mail.envelope = envelope
        return mail

    def handle_message(self, message):
        self.mails.append(message)


@pytest.fixture(name="sink")
def sink_of_mails(tmp_path):
    """The only server of the sendmail program, msmtp, of this user."""
    sink = Sink()
    server = Controller(sink, hostname="127.0.0.1", port=free_port(),
                        ready_timeout=PATIENCE)
    server.start()
    rc = tmp_path / ".msmtprc"
    rc.write_text(f"account default\nhost 127.0.0.1\nport {server.port}\n"
                  "from httpd@example.org\nauto_from off\n")
    rc.chmod(0o600)
    sink.env = {"HOME": str(tmp_path)}
    yield sink
    server.stop()


def notify(sink, env, *options):
    return run_hook("notify-mail", "--sendmail", "/usr/bin/msmtp", *options,
                    env={**sink.env, **env})


def test_a_mail_says_what_happened_and_what_to_do(sink):
    said = "www.example.org: the DNS has no address (NXDOMAIN) für 例え"
    ended = notify(
        sink, event("stuck", said,
                    ACME_PROBLEM="urn:ietf:params:acme:error:dns"),
        "--to", "ops@example.org", "--to", "Jörg Müller <jm@example.org>",
        "--from", "httpd <acme@example.org>")
    assert ended.code == 0, ended
    mail, = sink.mails
    assert sorted(mail.envelope.rcpt_tos) == ["jm@example.org",
                                              "ops@example.org"]
    assert mail.envelope.mail_from == "acme@example.org"
    assert mail["Subject"] == "www.example.org: an administrator is needed"
    assert mail["To"] == "ops@example.org, Jörg Müller <jm@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] and mail["Message-ID"]
    text = " ".join(mail.get_content().split())     # lines are wrapped
    for part in said, "www.example.org example.org", "acme:error:dns", \
            "2099-01-02T03:04:05Z (in ", "What to do: ", "acmectl status":
        assert part in text, text
    head = mail.envelope.content.split(b"\r\n\r\n")[0]
    assert head.isascii() and b"=?utf-8?" in head      # RFC 2047


def test_text_of_a_ca_adds_no_header(sink):
    evil = "x\r\nBcc: all@example.org\r\n\r\n.\r\nMAIL FROM:<a@b>\x1b[2J\x85y"
    ended = notify(sink, event("expiring", evil, ACME_ID=evil, ACME_NAMES=evil,
                               ACME_PROBLEM=evil, ACME_NOT_AFTER=evil),
                   "--to", "ops@example.org")
    assert ended.code == 0, ended
    ended = notify(sink, event(evil, evil), "--to", "ops@example.org")
    assert ended.code == 0, ended
    assert len(sink.mails) == 2
    for mail in sink.mails:
        assert mail.envelope.rcpt_tos == ["ops@example.org"]
        assert mail["Bcc"] is None and not mail.defects
        assert not re.search("[^\r\n -~]", mail.get_content())
        assert "x Bcc: all@example.org" in mail.get_content()


def test_only_chosen_events_are_sent(sink):
    for name in "installed", "expiring", "failed":
        ended = notify(sink, event(name), "--to", "root@example.org",
                       "--events", "expiring,stuck")
        assert ended.code == 0 and not ended.text, ended
    mail, = sink.mails
    assert "expires soon" in mail["Subject"]


def test_a_refusal_is_an_error_with_its_reason(sink, tmp_path):
    async def refuse(server, session, envelope, address, options):
        return "550 5.1.1 nobody of that name\r\n"

    sink.handle_RCPT = refuse
    ended = notify(sink, event("stuck"), "--to", "x@example.org")
    assert ended.code == 1 and not sink.mails
    assert "x@example.org" in ended.text and "nobody of that" in ended.text
    ended = run_hook("notify-mail", "--to", "root", "--sendmail",
                     tmp_path / "none", env=event("stuck"))
    assert ended.code == 2 and "--sendmail" in ended.text


def test_a_sendmail_of_ones_own_has_a_home(tmp_path):
    recorder = tmp_path / "sendmail"
    recorder.write_text(f'#!/bin/sh\necho "$HOME $*" >{tmp_path}/call\n'
                        f"cat >{tmp_path}/mail\n")
    recorder.chmod(0o755)
    ended = run_hook("notify-mail", "--to", "root", "--sendmail", recorder,
                     env=event("failed", ACME_ID="", ACME_NOT_AFTER=""))
    assert ended.code == 0, ended
    home = pwd.getpwuid(os.geteuid()).pw_dir
    assert (tmp_path / "call").read_text() == f"{home} -i -t\n"
    mail = email.message_from_bytes((tmp_path / "mail").read_bytes(),
                                    policy=email.policy.default)
    assert mail["To"] == "root" and mail["Subject"].startswith("httpd: ")
    assert mail["From"].startswith("mod_acme <")


@pytest.mark.parametrize("options, part", [
    ((), "--to"),
    (("--to", "a b"), "'a b' is not a mail address"),
    (("--to", "-oQ/tmp"), "--to"),
    (("--to", "a@b, c@d"), "not a mail address"),
    (("--to", "a\nBcc: c@d"), "not a mail address"),
    (("--to", "root", "--events", "expirng"), "'expirng' is not an event"),
])
def test_a_wrong_call_is_told(options, part):
    ended = run_hook("notify-mail", *options, env=event("stuck"))
    assert ended.code == 2 and part in ended.text, ended


def test_without_an_event_it_says_who_calls_it():
    ended = run_hook("notify-mail", "--to", "root")
    assert ended.code == 2 and "AcmeHook notify" in ended.text
    assert run_hook("notify-mail", "--help").code == 0


@pytest.mark.parametrize("command", [
    ("notify-mail", "--to", "root"),
    ("notify-sns", "--topic", "arn:aws:sns:us-east-1:123456789012:a"),
    ("notify-webhook", "--url", "http://127.0.0.1/")], ids=lambda c: c[0])
def test_it_knows_the_events_of_mod_acme(command):
    """All of them, and no other."""
    table = HEADER.read_text().split("ACME_HOOK_EVENTS(X)")[1]
    events = re.findall(r'^    X\([A-Z_]+, +"([a-z-]+)"\)',
                        table.split("#define")[0], re.M)
    assert len(events) > 6
    ended = run_hook(*command, "--events", ",".join(events),
                     env=event("another"))
    assert ended.code == 0 and not ended.text, ended
    ended = run_hook(*command, "--events", "none-such", env=event("stuck"))
    known = ended.text.split("the events are: ")[1].split()
    assert sorted("".join(known).split(",")) == sorted(events), ended
