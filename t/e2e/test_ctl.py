"""acmectl's views: one server for many commands, and then without it."""

import contextlib
import hashlib
import json
import os
import pty
import re
import subprocess

from cryptography.hazmat.primitives.serialization import (Encoding,
                                                          PublicFormat)

from lib import proxy
from lib.httpd import BUILD
from lib.wait import PATIENCE, wait_until

NAME = "www.example.org"
ALIAS = "example.org"
BAD = "www.blocked.example"

TOP = BUILD / "mod_acme" / "ctl" / "acmectl"

# Of status --json: scripts read them.
KEYS = set("""id state names validFrom validUntil serial issuer served activated
    selfChecked servedAt selfCheckDetail revoked deleted nextStep nextAt limit
    windowStart windowEnd explanation leftOut leftOutUntil leftOutNames leftOutReason attempts problem
    detail postFailing postNextAt postFailure deployFailing deployNextAt
    deployFailure undelivered undeliveredNextAt undeliveredFailure
     exportFailure nextKeyMade nextKeyFrom check checkReason checkedAt dryRun dryRunAt dryRunReason
     dryRunDetail reason fault remedy""".split())


def record(served):
    """What a TLSA record 3 1 1 has of this certificate."""
    key = served.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"TLSA 3 1 1 {hashlib.sha256(key).hexdigest()}"


def start(site):
    """A server with a good certificate and one that fails; and its CA."""
    ca = site.proxied_ca()

    async def refuse_bad(exchange):
        bad = BAD in json.dumps(exchange.asked)
        return await (refuse if bad else proxy.forward)(exchange)

    refuse = proxy.status(400, kind="rejectedIdentifier", detail="not this")
    ca.answer(refuse_bad, "order")
    server = site.server(ca)
    server.vhost(NAME, ALIAS)
    server.vhost(BAD)           # which the CA refuses for good
    server.start()
    server.wait_valid(NAME)
    server.wait_failed(BAD)
    server.wait_state(BAD, "failed")
    return server, ca


def first_words(said):
    """Ids and states of the table of status."""
    return [line.split()[:2] for line in said.splitlines()
            if re.match(r"\S+ +(valid|failed) ", line)]


def the_list(server):
    code, said = server.acmectl("status")
    assert code == 1
    lines = said.splitlines()
    assert lines[0].startswith("2 certificates: 1 failing, 1 fine; the first ")
    assert first_words(said) == [[BAD, "failed"], [NAME, "valid"]]
    assert re.search(r"^www\S+ +valid   \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC "
                     r"\(in \d+ days\)  renew \d{4}-\d\d-\d\d .* days\)$",
                     said, re.MULTILINE)
    assert "\033" not in said
    assert "\033[31mfailed\033[0m" in server.acmectl("status", "--color",
                                                     "always")[1]

    code, said = server.acmectl("status", "--json")
    assert code == 1
    for found in json.loads(said):
        assert KEYS <= set(found) and found["source"] == "keeper"


def nagios(server):
    code, said = server.acmectl("status", "--nagios")
    assert code == 2
    assert re.fullmatch(
        rf"ACME CRITICAL - 1 of 2 certificates: {BAD} failed \([a-z0-9-]+\) \| "
        r"certificates=2;;;0 warning=0;;;0 critical=1;;;0 days_left=\d+;;\n",
        said)
    code, said = server.acmectl("status", NAME, "--nagios")
    assert code == 0 and said.startswith("ACME OK - 1 certificate, the next ")
    code, said = server.acmectl("status", NAME, "--nagios", "-w", "3000")
    assert code == 1 and said.startswith("ACME WARNING - 1 of 1 certificate: ")
    assert server.acmectl("status", NAME, "--nagios", "-c", "3000")[0] == 2
    assert server.acmectl("status", "--nagios", "-c", "x")[0] == 3
    code, said = server.acmectl("status", "nobody", "--nagios")
    assert code == 3 and said.startswith("ACME UNKNOWN - no certificate has ")


def explanations(server):
    code, said = server.acmectl("explain", NAME)
    assert code == 0
    for label in ("What is so", "Why", "What is next", "What you can do"):
        assert f"\n  {label}  " in said
    assert re.search(r"^    ok      certificate +valid until ", said,
                     re.MULTILINE)
    code, said = server.acmectl("explain", BAD, "--json")
    found, = json.loads(said)
    assert code == 1
    assert found["kind"] == "failing" and found["reason"] in found["why"]
    assert all(found[key] for key in ("so", "why", "next", "remedy"))
    results = {check["check"]: check["result"] for check in found["checks"]}
    assert results["order"] == "failed"
    assert results["copies (AcmeExport)"] == "ok"
    said = server.acmectl("explain", BAD)[1]
    assert said.startswith(f"{BAD}: failed\n")
    assert server.acmectl("explain")[0] == 2
    assert server.acmectl("explain", "nobody")[0] == 1


def journals(server):
    code, said = server.acmectl("logs", NAME)
    assert code == 0
    events = [re.split(" {2,}", line)[2] for line in said.splitlines()]
    assert events[:3] == ["ordered", "validated", "installed"]
    last = server.acmectl("logs", NAME, "--lines", "1")[1].splitlines()
    assert last == said.splitlines()[-1:] or len(last) == 1
    found = json.loads(server.acmectl("logs", BAD, "--json")[1])
    assert found["id"] == BAD and found["attempts"] >= 1 and found["reason"]
    assert found["events"][-1]["event"] == "failed"
    for wrong in ("0", "x", ""):
        assert server.acmectl("logs", NAME, "--lines", wrong)[0] == 2
    assert server.acmectl("logs", "../run")[0] == 1


def records(server):
    served = server.live(NAME)[0]
    code, said = server.acmectl("tlsa", NAME)
    assert code == 0
    for name in NAME, ALIAS:
        assert f"\n_443._tcp.{name}. IN {record(served)}\n" in said
    code, said = server.acmectl("tlsa", NAME, "--port", "25", "--json")
    assert code == 0
    assert {row["name"] for row in json.loads(said)} == {
        f"_25._tcp.{NAME}", f"_25._tcp.{ALIAS}"}
    for wrong in ("--port", "0"), ("--port", "65536"), ("--proto", "x"):
        assert server.acmectl("tlsa", NAME, *wrong)[0] == 2

    # A CA that nobody knows has no issuer domain that could be printed.
    code, said = server.acmectl("caa", NAME)
    assert code == 1 and "issuer domain of this CA is not known" in said
    found = json.loads(server.acmectl("caa", NAME, "--json")[1])
    assert not found["records"] and len(found["unknownCAs"]) == 1


def exports(server):
    """Copies of what is live, with and without httpd."""
    live = server.store / "live" / NAME
    chain = (live / "fullchain.pem").read_text()
    assert server.acmectl("export", NAME) == (0, chain)
    code, said = server.acmectl("export", NAME, "--format", "key")
    assert code == 2 and "PRIVATE" not in said
    password = server.root / "password"
    password.touch(0o600)
    password.write_text("secret\n")
    path = server.root / "copy.p12"
    words = ["export", NAME, "--format", "pkcs12", "--password-file",
             str(password), "--out", str(path), "--json"]
    for is_written in not path.exists(), False:
        code, said = server.acmectl(*words)
        assert code == 0 and json.loads(said) == {
            "id": NAME, "archive": int(live.resolve().name),
            "format": "pkcs12", "path": str(path), "written": is_written}
    assert path.stat().st_mode & 0o777 == 0o600
    key = subprocess.run(
        ["openssl", "pkcs12", "-in", path, "-passin", f"file:{password}",
         "-nodes", "-nocerts"], check=True, timeout=PATIENCE, text=True,
        stdout=subprocess.PIPE).stdout
    assert (live / "privkey.pem").read_text() in key


def accounts(server, ca):
    url = json.loads(server.acmectl("account", "show", "--json")[1])[0]["url"]
    assert url in server.acmectl("account", "show")[1]
    found, = json.loads(server.acmectl("account", "show", "--json")[1])
    assert found["directory"] == ca.url and found["state"] == "registered"


def completion(site):
    """What bash would offer."""
    def offered(*words):
        script = ". $0; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); "\
            "_acmectl_complete; printf '%s\\n' \"${COMPREPLY[@]}\""
        path = f"{TOP.parent}:{os.environ['PATH']}"
        file = BUILD.parent.parent / "conf" / "completion" / "acmectl"
        return subprocess.run(
            ["bash", "-c", script, file, "acmectl", *words], check=True,
            stdout=subprocess.PIPE, text=True, timeout=PATIENCE,
            cwd=site.folder, env={**os.environ, "PATH": path}).stdout.split()

    store = str(site.servers[0].store)
    assert offered("sta") == ["status"]
    assert {"--json", "--nagios", "--state-dir"} <= set(offered("status",
                                                                "--"))
    assert NAME in offered("--state-dir", store, "explain", "")
    assert offered("account", "ro") == ["rollover"]
    assert offered("export", NAME, "--format", "p") == ["pem", "pkcs12"]
    # A folder that root was sent, with names that a shell would expand.
    sent = site.folder / "sent"
    for name in ("$(touch ran)", "`touch ran`", "b;touch ran", "-n", "*",
                 "good.example.org"):
        (sent / "live" / name).mkdir(parents=True)
    assert set(offered("--state-dir", str(sent), "explain", "")) <= {
        "good.example.org", "-n"}
    assert offered("--state-dir", str(sent), "explain", "go") == [
        "good.example.org"]
    assert offered("--state-dir", f"{site.folder}/$(touch ran)", "explain",
                   "") == []
    assert not (site.folder / "ran").exists()


def watch(server, ca):
    """A renewal, as watch shows it: lines, and on a terminal."""
    command = [TOP, "--state-dir", server.store, "watch", NAME,
               "--until-done"]
    lines = server.root / "watch"
    hold = ca.hold("finalize")
    server.renew(NAME)
    main, terminal = pty.openpty()
    with contextlib.ExitStack() as closing:
        closing.callback(os.close, main)
        with lines.open("w") as file:
            plain = subprocess.Popen(command, stdout=file,
                                     stderr=subprocess.STDOUT)
        closing.callback(plain.kill)
        drawn = subprocess.Popen(command, stdout=terminal, stderr=terminal,
                                 env={**os.environ, "TERM": "xterm"})
        closing.callback(drawn.kill)
        os.close(terminal)
        hold.wait()
        # The key of the order is there, and not served yet.
        rows = json.loads(server.acmectl("tlsa", NAME, "--json")[1])
        assert [row["key"] for row in rows] == ["current"] * 2 + ["next"] * 2
        following = rows[-1]["value"]
        wait_until(lambda: "until the CA has issued" in lines.read_text(),
                   "the order is shown")
        assert plain.poll() is None and drawn.poll() is None
        hold.release()
        assert plain.wait(PATIENCE) == 0 and drawn.wait(PATIENCE) == 0
        said = lines.read_text()
        assert "  renewing " in said
        assert re.search(r"  valid  +installed: archive/", said)
        assert record(server.live(NAME)[0]) == f"TLSA {following}"
        shown = b""
        with contextlib.suppress(OSError):      # EIO is the end
            while True:
                shown += os.read(main, 65536)
        assert b"\033[J" in shown and b"renewing" in shown


def test_views(site):
    server, ca = start(site)
    the_list(server)
    nagios(server)
    explanations(server)
    journals(server)
    records(server)
    exports(server)
    accounts(server, ca)
    completion(site)
    watch(server, ca)
    before = record(server.live(NAME)[0])

    server.stop()
    # A refused connection is tried again for two seconds: once is enough.
    assert server.acmectl("account", "show")[1].count(ca.url) == 1
    (server.store / "run" / "acme.sock").unlink()
    # Somebody writes what would clear root's terminal.
    path = server.store / "journal" / f"{BAD}.json"
    journal = json.loads(path.read_text())
    journal["detail"] = journal["events"][-1]["detail"] = "\033[2J\u009b2J"
    path.write_text(json.dumps(journal))

    code, said = server.acmectl("status")
    assert code == 1 and "no httpd that manages a certificate runs" in said
    assert first_words(said) == [[BAD, "failed"], [NAME, "valid"]]
    for words in (["status"], ["status", BAD], ["explain", BAD],
                  ["logs", BAD], ["logs", BAD, "--json"],
                  ["explain", BAD, "--json"], ["status", "--json"]):
        text = server.acmectl(*words)[1]
        assert text.isascii() and "\033" not in text and "2J" in text
    code, said = server.acmectl("status", "--nagios")
    assert code == 2 and said.count("\n") == 1
    assert "httpd does not run" in said
    code, said = server.acmectl("explain", NAME)
    assert code == 1 and "Start httpd." in said
    assert server.acmectl("logs", NAME)[0] == 0
    code, said = server.acmectl("tlsa", NAME)
    assert code == 0 and before in said
    (server.root / "copy.p12").unlink()
    exports(server)
    # What a CA with dns-persist-01 says of itself.
    path, = server.store.glob("accounts/*/account.json")
    account = json.loads(path.read_text())
    path.write_text(json.dumps({**account, "persistIssuer": "ca.example"}))
    code, said = server.acmectl("caa", NAME)
    assert code == 0
    assert f'\n{ALIAS}. IN CAA 0 issue "ca.example; accounturi='\
        f'{account["url"]}"\n' in said
    for words in (["renew", NAME], ["watch"], ["account", "update"]):
        assert server.acmectl(*words)[0] == 1


def test_wrong_calls(site):
    server = site.server()
    for words in ([], ["dance"], ["status", "--dance"], ["status", "a", "b"],
                  ["renew"], ["logs"], ["help", "dance"], ["--json"]):
        code, said = server.acmectl(*words)
        assert code == 2 and said, words
    for words in (["help"], ["--help"], ["help", "renew"], ["renew", "-h"],
                  ["version"]):
        code, said = server.acmectl(*words)
        assert code == 0 and said, words
    code, said = server.acmectl("status")
    assert code == 1 and str(server.store) in said
    assert "httpd manages no certificate, or does not run" in said
