"""dns-lexicon: lexicon sets records in a real PowerDNS."""

import fcntl
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.hook import FOLDER, run_hook
from lib.powerdns import KEY, PowerDns

NAME = "_acme-challenge.www.example.org"
VALUE = "XKrxpRBosdIKFzxW-CT3KLZNf6q0HG9i01zxXp5CPB_"
ZONE = "acme.example.net"       # below a registered domain


@pytest.fixture(name="names", scope="module")
def powerdns(tmp_path_factory):
    server = PowerDns(tmp_path_factory.mktemp("lexicon"), "example.org", ZONE)
    try:
        yield server.start()
    finally:
        server.end()


@pytest.fixture(name="credentials")
def file_of_credentials(names, tmp_path):
    path = tmp_path / "lexicon.env"
    path.write_text("# of the tests\n\n"
                    f"LEXICON_POWERDNS_AUTH_TOKEN='{KEY}'\n"
                    f"export LEXICON_POWERDNS_PDNS_SERVER={names.url}\n")
    path.chmod(0o600)
    return path


def lexicon(credentials, *arguments, home=True):
    """It keeps a list of registered domains in its home."""
    return run_hook("dns-lexicon", "--provider", "powerdns", "--credentials",
                    credentials, *arguments,
                    env={"HOME": str(credentials.parent)} if home else {})


def test_values_of_a_record_are_set_and_removed(names, credentials):
    values = [VALUE, "second"]
    for value in values:
        ended = lexicon(credentials, "present", NAME, value)
        assert ended.code == 0 and not ended.text, ended
    assert names.texts(NAME) == sorted(values)
    for i, value in enumerate(values, 1):
        ended = lexicon(credentials, "cleanup", f"{NAME}.", value)
        assert ended.code == 0, ended
        assert names.texts(NAME) == sorted(values[i:])


def test_one_lexicon_runs_at_a_time(credentials, tmp_path):
    """Providers read and replace all values of a record."""
    program = tmp_path / "lexicon"
    program.write_text(f"#!/bin/sh\nmkdir {tmp_path}/running || exit 1\n"
                       f"sleep 0.2; rmdir {tmp_path}/running; echo true\n")
    program.chmod(0o755)
    with ThreadPoolExecutor(3) as pool:
        for ended in pool.map(
                lambda value: lexicon(credentials, "--program", program,
                                      "present", NAME, value), "abc"):
            assert ended.code == 0, ended
    program.write_text("#!/bin/sh\necho false\n")
    ended = lexicon(credentials, "--program", program, "present", NAME, "d")
    assert ended.code == 1 and "did not do it" in ended.text


def test_a_zone_may_lie_below_a_registered_domain(names, credentials):
    record = f"www.example.org.{ZONE}"
    for action, texts in ("present", [VALUE]), ("cleanup", []):
        ended = lexicon(credentials, "--zone", ZONE, action, record, VALUE)
        assert ended.code == 0, ended
        assert names.texts(record) == texts
    ended = lexicon(credentials, "--zone", ZONE, "present", NAME, VALUE)
    assert ended.code == 2 and f"not in the zone {ZONE}" in ended.text


def test_a_refusal_is_an_error_with_its_reason(names, credentials):
    ended = lexicon(credentials, "present", "_acme-challenge.example.com",
                    VALUE)
    assert ended.code == 1 and "_acme-challenge.example.com" in ended.text
    assert "404" in ended.text or "422" in ended.text, ended
    assert len(ended.text.splitlines()) == 1    # no traceback

    wrong = "wrong key/of the tests"
    credentials.write_text(credentials.read_text().replace(KEY, wrong))
    ended = lexicon(credentials, "present", NAME, VALUE)
    assert ended.code == 1 and "401" in ended.text, ended
    assert wrong not in ended.text and not names.texts(NAME)


def test_a_secret_is_in_no_argument_and_no_message(credentials, tmp_path):
    program = tmp_path / "lexicon"
    program.write_text(
        f'#!/bin/sh\necho "$HOME $*" >{tmp_path}/call\n'
        'echo "KeyError: $LEXICON_POWERDNS_AUTH_TOKEN key-of%2Fthe%26tests"'
        " >&2\nexit 1\n")
    program.chmod(0o755)
    ended = lexicon(credentials, "--program", program, "present", NAME, VALUE,
                    home=False)
    assert ended.code == 1
    assert "KeyError: (secret) (secret)" in ended.text
    home, call = (tmp_path / "call").read_text().split(" ", 1)
    assert home == os.path.expanduser("~root")
    assert call == (f"powerdns create {NAME} TXT --name={NAME} "
                    f"--content={VALUE} --output=JSON\n")
    for option in "--auth-token=x", "--auth-password":
        ended = lexicon(credentials, option, "x", "present", NAME, VALUE)
        assert ended.code == 2 and "LEXICON_POWERDNS_AUTH_" in ended.text


def test_credentials_that_others_can_read_are_not_used(credentials):
    credentials.chmod(0o644)
    ended = lexicon(credentials, "present", NAME, VALUE)
    assert ended.code == 2 and str(credentials) in ended.text
    assert "chmod 600" in ended.text and KEY not in ended.text
    credentials.chmod(0o600)
    credentials.write_text(f"PATH=/tmp:{KEY}\n")
    ended = lexicon(credentials, "present", NAME, VALUE)
    assert ended.code == 2 and f"{credentials}, line 1" in ended.text
    assert KEY not in ended.text


@pytest.mark.parametrize("arguments, part", [
    (("present", NAME), "present|cleanup RECORD VALUE"),
    (("remove", NAME, VALUE), "present|cleanup RECORD VALUE"),
    (("present", "--x", VALUE), "present|cleanup RECORD VALUE"),
    (("--provider", "no/ne", "present", NAME, VALUE), "'no/ne'"),
    (("--zone", "a b", "present", NAME, VALUE), "'a b'"),
    (("--program", "/nonexistent", "present", NAME, VALUE), "apt install"),
    (("--credentials", "/nonexistent", "present", NAME, VALUE),
     "/nonexistent"),
    (("--nonsense=x", "present", NAME, VALUE), "--nonsense=x"),
])
def test_a_wrong_call_is_told(arguments, part):
    ended = run_hook("dns-lexicon", "--provider", "powerdns", *arguments)
    assert ended.code == 2 and part in ended.text, ended


def test_one_that_waits_too_long_says_so(tmp_path):
    script = FOLDER / "dns-lexicon"
    copy = tmp_path / "dns-lexicon"          # the lock is the file's
    copy.write_text(script.read_text())
    copy.chmod(0o755)
    with open(copy, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ended = run_hook("dns-lexicon", "--provider", "powerdns", "--program",
                         "/bin/false", "--wait", "1", "present", NAME, VALUE,
                         folder=tmp_path)
    assert ended.code == 1 and "Raise AcmeHookTimeout" in ended.text, ended
    assert NAME in ended.text
