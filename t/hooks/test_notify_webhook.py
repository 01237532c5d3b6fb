"""notify-webhook: to a server of HTTP or HTTPS that verifies the signature."""

import json
import ssl

import pytest

from lib.hook import event, run_hook
from lib.tls import Authority
from lib.webhook import Receiver, is_signed

SECRET = "0123456789abcdef-not-for-others"


@pytest.fixture(name="receiver")
def receiver_of_http():
    receiver = Receiver()
    yield receiver
    receiver.end()


@pytest.fixture(name="secret")
def secret_file(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    return path


def notify(receiver, *options, env=None, stdin=b""):
    return run_hook("notify-webhook", "--url", receiver.url, *options,
                    env=env or event("stuck", "the DNS"), stdin=stdin)


def test_an_event_is_posted_and_signed(receiver, secret):
    told = {"event": "stuck", "id": "www.example.org",
            "names": ["www.example.org", "example.org"], "detail": "für 例え"}
    done = notify(receiver, "--secret-file", secret,
                  stdin=json.dumps(told).encode())
    assert done.code == 0 and not done.text, done
    (headers, body), = receiver.seen
    assert headers["Content-Type"] == "application/json"
    data = json.loads(body)
    assert data.pop("host") and data.pop("time").endswith("Z")
    assert data == told
    assert is_signed(headers, body, SECRET)
    assert not is_signed(headers, body.replace(b"www", b"wwx"), SECRET)
    assert not is_signed(headers, body, "another")


def test_the_variables_do_where_there_is_no_json(receiver):
    done = notify(receiver, "--events", "stuck,expiring")
    assert done.code == 0, done
    (headers, body), = receiver.seen
    data = json.loads(body)
    assert data["names"] == ["www.example.org", "example.org"]
    assert data["detail"] == "the DNS" and "problem" not in data
    assert headers["Mod-Acme-Signature"] is None
    done = notify(receiver, "--events", "expiring")
    assert done.code == 0 and len(receiver.seen) == 1


def test_slack_gets_its_own_form(receiver):
    done = notify(receiver, "--format", "slack",
                  env=event("stuck", "<!channel> a & b > c\n<https://x|y>"))
    assert done.code == 0, done
    data = json.loads(receiver.seen[0][1])
    first, detail, valid = data["text"].split("\n")
    assert first.startswith("www.example.org on ")
    assert first.endswith(": an administrator is needed")
    assert detail == ("&lt;!channel&gt; a &amp; b &gt; c "
                      "&lt;https://x|y&gt;")
    assert valid == "valid until 2099-01-02T03:04:05Z"
    assert data["unfurl_links"] is False


@pytest.mark.parametrize("status, text", [(400, b"invalid_payload\nmore\n"),
                                          (503, b"<b>no\x1b[2J</b>")])
def test_a_refusal_is_an_error_with_its_reason(receiver, status, text):
    receiver.answer = status, {}, text
    done = notify(receiver)
    assert done.code == 1 and f"status {status}: " in done.text
    assert text.split(b"\n")[0].replace(b"\x1b", b" ").decode() in done.text
    assert "more" not in done.text
    assert "T0K3N" not in done.text     # the path of a URL may be a secret


def test_a_signature_goes_to_no_other_host(receiver, secret):
    other = Receiver()
    try:
        for status in 301, 302, 307, 308:
            receiver.answer = status, {"Location": other.url}, b""
            done = notify(receiver, "--secret-file", secret)
            assert done.code == 1 and "redirects" in done.text, done
            assert f"localhost:{other.server_port}" in done.text
            assert "T0K3N" not in done.text
        assert not other.seen
    finally:
        other.end()


def test_a_server_that_hangs_is_left(receiver):
    receiver.hang.clear()
    done = notify(receiver, "--timeout", "1")
    assert done.code == 1 and "within 1 s (--timeout)" in done.text
    receiver.hang.set()
    receiver.drip.clear()
    receiver.answer = 500, {}, b"out of order"
    done = notify(receiver, "--timeout", "1")
    assert done.code == 1 and "within 1 s (--timeout)" in done.text
    assert "Traceback" not in done.text


def test_the_certificate_of_the_server_is_verified(tmp_path, secret):
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server_files("hook", "localhost"))
    receiver = Receiver(context)
    try:
        done = notify(receiver, "--secret-file", secret)
        assert done.code == 1 and "--ca-file" in done.text, done
        assert not receiver.seen
        done = notify(receiver, "--secret-file", secret, "--ca-file",
                      authority.file)
        assert done.code == 0, done
        assert is_signed(*receiver.seen[0], SECRET)
        done = notify(receiver, "--ca-file", secret)
        assert done.code == 2 and str(secret) in done.text
        assert SECRET not in done.text
    finally:
        receiver.end()


def test_a_url_may_be_in_a_file(receiver, tmp_path):
    path = tmp_path / "url"
    path.write_text(receiver.url + "\n")
    path.chmod(0o600)
    done = run_hook("notify-webhook", "--url-file", path, env=event("stuck"))
    assert done.code == 0 and len(receiver.seen) == 1, done
    path.chmod(0o604)
    done = run_hook("notify-webhook", "--url-file", path, env=event("stuck"))
    assert done.code == 2 and "chmod 600" in done.text


def test_a_secret_that_others_can_read_is_not_used(receiver, secret):
    for mode in 0o644, 0o602:
        secret.chmod(mode)
        done = notify(receiver, "--secret-file", secret)
        assert done.code == 2 and str(secret) in done.text
        assert "chmod 600" in done.text and SECRET not in done.text
    assert not receiver.seen
    done = notify(receiver, "--secret-file", secret.parent)
    assert done.code == 2, done
    secret.chmod(0o600)
    secret.write_text("\n")
    done = notify(receiver, "--secret-file", secret)
    assert done.code == 2 and "empty" in done.text


@pytest.mark.parametrize("options, part", [
    ((), "--url"),
    (("--url", "ftp://x/"), "not an http or https URL"),
    (("--url", "file:///etc/passwd"), "not an http or https URL"),
    (("--url", "https://u:p@x/"), "password"),
    (("--url", "https://x:99999/"), "not an http or https URL"),
    (("--url", "http://x/", "--events", "stuck,no"), "'no' is not an event"),
    (("--url", "http://x/", "--timeout", "0"), "'0' is not a number"),
])
def test_a_wrong_call_is_told(options, part):
    done = run_hook("notify-webhook", *options, env=event("stuck"))
    assert done.code == 2 and part in done.text, done


def test_nobody_there_is_told():
    done = run_hook("notify-webhook", "--url", "http://127.0.0.1:1/x",
                    env=event("stuck"))
    assert done.code == 1 and "cannot be reached" in done.text
    done = run_hook("notify-webhook", "--url", "http://127.0.0.1:1/x")
    assert done.code == 2 and "AcmeHook notify" in done.text
