"""Scripts of conf/hooks where they are at home: run by httpd's keeper."""

import json

from lib.hook import FOLDER
from lib.powerdns import KEY, PowerDns
from lib.webhook import Receiver, is_signed

SECRET = "the secret of the tests"


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_a_wildcard_by_lexicon_and_the_events_by_mail_and_webhook(netns, site):
    netns.resolver("127.0.0.1")
    names = PowerDns(site.folder, "example.org", port=53)
    site.closing.callback(names.end)
    names.start()
    receiver = Receiver()
    site.closing.callback(receiver.end)
    credentials = private(site.folder / "lexicon.env",
                          f"LEXICON_POWERDNS_AUTH_TOKEN={KEY}\n")
    secret = private(site.folder / "secret", SECRET)
    mails = site.folder / "mails"
    sendmail = site.folder / "sendmail"
    sendmail.write_text(f"#!/bin/sh\ncat >>{mails}\n")
    sendmail.chmod(0o755)

    server = site.server(site.ca(dns="127.0.0.1:53"))
    server.part("hooks", f"""
AcmeHook notify {FOLDER}/notify-webhook --url {receiver.url} \\
    --secret-file {secret} --events installed
AcmeHook notify {FOLDER}/notify-mail --to root --sendmail {sendmail}
""")
    server.vhost("example.org", body=f"""
AcmeNames *.example.org
AcmeDns exec /usr/bin/env --ignore-environment PATH=/usr/bin \\
    HOME={site.folder} {FOLDER}/dns-lexicon \\
    --provider powerdns --credentials {credentials} \\
    --pdns-server {names.url}
""")
    server.start()
    server.wait_installed("_.example.org")
    server.wait(lambda: receiver.seen, "the webhook comes")
    (headers, body), = receiver.seen
    assert is_signed(headers, body, SECRET)
    assert json.loads(body)["names"] == ["*.example.org"]
    server.wait(lambda: mails.exists() and "What to do" in mails.read_text(),
                "the mail comes")
    assert "Subject: _.example.org: a certificate was installed" \
        in mails.read_text()
    server.wait(lambda: not names.texts("_acme-challenge.example.org"),
                "the record is removed")
    assert KEY not in server.log_text and SECRET not in server.log_text
