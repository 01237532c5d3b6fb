"""AcmeExport: copies for other programs, which never see half of one."""

import grp
import json
import os
import pwd
import subprocess
import sys

from test_hooks import Teller

from lib.process import Process
from lib.wait import PATIENCE, wait_until

NAME = "www.example.org"
OTHER = "other.example.org"
READER = pwd.getpwnam("daemon")         # who reads copies, and no more

# Run by the reader, from before the first copy to after the last one: whatever
# it can open is complete, has its rights, and goes together.
POLLER = r"""
import json, os, signal, sys
from cryptography import x509
from cryptography.hazmat.primitives import serialization as s

out, gid = sys.argv[1], int(sys.argv[2])
stop, faults, seen = [], [], {"pem": set(), "set": set()}
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
KEY, CERT = "-----END PRIVATE KEY-----\n", "-----END CERTIFICATE-----\n"

def read(name, dir_fd=None):
    fd = os.open(name, os.O_RDONLY, dir_fd=dir_fd)
    with open(fd) as file:
        st, text = os.fstat(fd), file.read()
    if (st.st_mode & 0o7777, st.st_uid, st.st_gid) != (0o640, 0, gid):
        faults.append(f"{name}: mode {st.st_mode:o} {st.st_uid}:{st.st_gid}")
    return text

def is_pair(key, cert):
    if not key.endswith(KEY) or not cert.endswith(CERT):
        return False
    key = s.load_pem_private_key(key.encode(), None).public_key()
    cert = x509.load_pem_x509_certificate(cert.encode()).public_key()
    return key.public_numbers() == cert.public_numbers()

def note(kind, key, cert):
    if (key, cert) not in seen[kind]:
        seen[kind].add((key, cert))
        if not is_pair(key, cert):
            faults.append(f"{kind}: not whole, or not a pair: {key!r} {cert!r}")

def look_at_file(name):
    try:
        text = read(name)
    except (FileNotFoundError, PermissionError) as gone:
        if isinstance(gone, PermissionError) and "/." not in name:
            faults.append(str(gone))
        return
    key, end, cert = text.partition(KEY)
    note("pem", key + end, cert)

def look_at_set():
    try:
        folder = os.open(out + "/set/current", os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        note("set", read("privkey.pem", folder), read("cert.pem", folder))
    except OSError as problem:
        faults.append(f"set: {problem}")
    finally:
        os.close(folder)

print("looking", flush=True)
while not stop:
    look_at_file(out + "/www.pem")
    look_at_file(out + "/.www.pem.acme-new")
    look_at_set()
print(json.dumps({"faults": faults[:5],
                  "seen": {kind: len(found) for kind, found in seen.items()}}))
"""


class Poller:
    """Looks at what is in a folder all the time, as the reader."""

    def __init__(self, site, out):
        self.log = site.folder / "poller.log"
        self.process = Process(
            ["setpriv", f"--reuid={READER.pw_uid}", f"--regid={READER.pw_gid}",
             "--clear-groups", sys.executable, "-c", POLLER, str(out),
             str(READER.pw_gid)], self.log)
        site.closing.callback(self.process.end)
        wait_until(self.log.read_text, "the poller looks")

    def end(self):
        self.process.end()
        return json.loads(self.log.read_text().split("\n")[-2])


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True,
                          capture_output=True, text=True,
                          timeout=PATIENCE).stdout


def rights(path):
    st = os.lstat(path)
    return (st.st_mode & 0o7777, st.st_uid, st.st_gid)


def export_failure(server):
    said = json.loads(server.acmectl("status", NAME, "--json")[1])[0]
    return said["exportFailure"], said["reason"]


def test_copies_of_every_form_follow_each_renewal(site):
    out = site.folder / "out"
    out.mkdir()
    password = site.folder / "password"
    password.write_text("correct horse\n")
    password.chmod(0o640)
    teller = Teller(site.folder)
    server = site.server(site.ca())
    server.vhost(NAME, body=f"""
        AcmeExport {out}/www.pem pem 0640 root:daemon
        AcmeExport {out}/set/ pem 0640 root:daemon
        AcmeExport {out}/%{{id}}.full fullchain
        AcmeExport {out}/key-%{{type}} key 0400 daemon
        AcmeExport {out}/chain chain 0444
        AcmeExport {out}/der der
        AcmeExport {out}/p12 pkcs12:{password}
        AcmeExport {out}/none/late.pem pem
        AcmeHook notify {teller.command}""")
    server.vhost(OTHER)
    # One file for two certificates: httpd -t refuses that, a start and the
    # keeper's reloads do not.
    server.part("export", f"AcmeExport {out}/both.pem fullchain\n")
    code, said = server.httpd_t()
    assert code and NAME in said and OTHER in said and "both.pem" in said

    poller = Poller(site, out)
    server.start()
    server.wait_log(r"acme:error\].*both\.pem.*%\{id\}")
    live = server.store / "live" / NAME

    def is_copied():
        text = (live / "fullchain.pem").read_text()
        return all(path.exists() and path.read_text() == text for path in (
            out / f"{NAME}.full", out / "set" / "current" / "fullchain.pem"))

    for count in range(1, 4):
        if count > 1:
            server.renew(NAME)
        serial = server.wait_valid(NAME, count=count).serial
        server.wait(is_copied, "the copies are those of the certificate")
        server.wait_log(rf"exported: {out}/p12", count)
        server.wait_log(rf"exported: {out}/key-p256", count)
        server.wait_log(rf"exported: {out}/der", count)

        key = (live / "privkey.pem").read_text()
        assert (out / "key-p256").read_text() == key
        assert (out / "www.pem").read_text() == \
            key + (live / "fullchain.pem").read_text()
        assert (out / "chain").read_text() == (live / "chain.pem").read_text()
        assert int(openssl("x509", "-inform", "der", "-in", out / "der",
                           "-noout", "-serial").split("=")[1], 16) == serial
        opened = openssl("pkcs12", "-in", out / "p12", "-nodes",
                         "-passin", f"file:{password}")
        assert f"friendlyName: {NAME}" in opened
        assert key in opened
        assert (live / "cert.pem").read_text() in opened
        assert (live / "chain.pem").read_text() in opened

    # The first virtual host of the configuration has it.
    assert (out / "both.pem").read_text() == \
        (server.store / "live" / OTHER / "fullchain.pem").read_text()

    # What failed is told, and made good without anybody's help.
    group = grp.getgrnam("daemon").gr_gid
    assert rights(out / "www.pem") == (0o640, 0, group)
    assert rights(out / "key-p256") == (0o400, READER.pw_uid, READER.pw_gid)
    assert rights(out / "chain") == (0o444, 0, 0)
    assert rights(out / "p12") == (0o600, 0, 0)
    assert rights(out / f"{NAME}.full") == (0o644, 0, 0)
    assert sorted(path.name[:5] for path in (out / "set").iterdir()) == \
        ["acme-", "acme-", "curre"]
    wait_until(lambda: export_failure(server)[0], "the failure is shown")
    text, reason = export_failure(server)
    assert f"{out}/none/late.pem" in text and "AcmeExport at " in text
    assert reason == "export-failed"
    assert server.certificate(NAME)["ExportFailure"] == text
    wait_until(lambda: teller.events("export-failed"), "it is told")
    (out / "none").mkdir()
    server.wait(lambda: (out / "none" / "late.pem").exists(), "it is made")
    wait_until(lambda: not export_failure(server)[0], "nothing fails")

    # Nothing is written again without need.
    before = os.stat(out / "p12").st_ino, os.stat(out / "www.pem").st_ino
    keeper = server.keeper
    server.graceful()
    wait_until(lambda: server.keeper != keeper, "another keeper")
    # A password file with another mode does not end a server that is reloaded.
    password.chmod(0o644)
    server.append("export", f"AcmeExport {out}/mark-%{{id}} der")
    server.graceful()
    server.wait(lambda: (out / f"mark-{NAME}").exists(), "the next is copied")
    wait_until(lambda: "mode 0644" in export_failure(server)[0], "it is told")
    assert before == (os.stat(out / "p12").st_ino,
                      os.stat(out / "www.pem").st_ino)

    said = poller.end()
    assert not said["faults"]
    assert said["seen"] == {"pem": 3, "set": 3}
    assert "PRIVATE KEY" not in server.log_text
    assert "correct horse" not in server.log_text


def test_httpd_t_refuses_what_cannot_be_copied(site):
    server = site.server()
    password = site.folder / "password"
    password.write_text("correct horse\n")
    password.chmod(0o644)
    server.vhost(NAME)
    for line, told in {
            "/x/a.pem pem 0600 nosuchuser": "nosuchuser",
            "/x/a.pem pem 0640 root:nosuchgroup": "nosuchgroup",
            "/x/a.pem pem 0644": "private key",
            "/x/a.pem pem 4600": "4600",
            "/x/a.pem jks": "jks",
            f"/x/a.p12 pkcs12:{password}": "mode 0644",
            f"{server.store}/live/a.pem pem": "AcmeStateDir"}.items():
        server.part("export", f"AcmeExport {line}\n")
        code, said = server.httpd_t()
        assert code and "AcmeExport" in said and told in said, line
        assert "correct horse" not in said
    # None of these ends a server that is reloaded; the keeper's test is alike.
    server.part("export", f"AcmeExport /x/a.p12 pkcs12:{password} nosuchuser\n")
    code, said = server.httpd_t("-DACME_TRIAL")
    assert not code and "nosuchuser" in said
    server.part("export", "AcmeExport /x/%{id}/%{type}.pem pem\n")
    code, said = server.httpd_t("-DDUMP_ACME")
    assert not code and f"export: /x/{NAME}/p256.pem\n" in said
