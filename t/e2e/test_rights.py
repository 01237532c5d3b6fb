"""What a worker that was taken over could read and write: no secret."""

import base64
import json
import re
import secrets
import stat
import subprocess
import sys

import pytest

from lib import process
from lib.httpd import WORKER
from lib.wait import PATIENCE, wait_until

NAME = "www.example.org"

# Every path of a store, and its mode.
MODES = [
    (r"accounts/[^/]+/(key\.pem|account\.json)", 0o600),
    (r"accounts(/[^/]+)?", 0o700),
    (r"archive/[^/]+/\d+/privkey\.pem", 0o600),
    (r"archive/[^/]+/\d+/(cert|chain|fullchain)\.pem", 0o644),
    (r"archive/[^/]+/\d+/meta\.json", 0o644),
    (r"archive(/[^/]+(/\d+)?)?", 0o755),
    (r"live", 0o755),
    (r"live/[^/]+", 0o777),             # a symbolic link
    (r"pending/[^/]+/[^/]+", 0o600),
    (r"pending(/[^/]+)?", 0o700),
    (r"next/[^/]+/p256\.pem", 0o600),
    (r"next(/[^/]+)?", 0o700),
    (r"journal/[^/]+\.json", 0o644),
    (r"journal", 0o755),
    (r"placeholder/[^/]*key[^/]*", 0o600),
    (r"placeholder/.*", None),
    (r"placeholder", 0o700),
    (r"(deploy|published|undelivered)/[^/]+", 0o600),
    (r"deploy|published|undelivered", 0o700),
    (r"aside(/.*)?", None),             # in a folder of 0700
    (r"run/[^/]+", 0o600),
    (r"run", 0o700),
    (r"", 0o755),
]

SECRET = re.compile(r"privkey|key\.pem|account\.json|^pending|^next|^run/|^aside/")

# Tries what the user who runs it can do with the paths that it is given.
TRY = """
import json, os, sys
readable, writable = [], []
for path in json.load(sys.stdin):
    folder = os.path.isdir(path)
    try:
        if folder:
            os.listdir(path)
        else:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        readable.append(path)
    except OSError:
        pass
    try:
        if folder:
            os.mkdir(path + "/intruder")
        else:
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        writable.append(path)
    except OSError:
        pass
json.dump([readable, writable], sys.stdout)
"""

KID = "kid-1"


def in_the_midst_of_an_order(site):
    """A server with one certificate, and an order before its finalization."""
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME, body="AcmeKeyReuse next")
    server.start()
    server.wait_valid(NAME)
    server.wait_quiet(NAME)     # no file comes and goes
    held = ca.hold("finalize")
    server.vhost("second.example.org")
    server.graceful()
    held.wait()
    return server


def paths_of(server):
    return [server.store, *sorted(server.store.rglob("*"))]


def test_a_worker_reads_no_secret_and_writes_nothing(site):
    server = in_the_midst_of_an_order(site)
    paths = [str(path) for path in paths_of(server)]
    hidden = [path for path in paths
               if SECRET.search(path[len(str(server.store)) + 1:])]
    done = subprocess.run(
        [sys.executable, "-c", TRY], input=json.dumps(paths), check=True,
        user=WORKER.pw_uid, group=WORKER.pw_gid, extra_groups=[],
        stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    readable, writable = json.loads(done.stdout)

    assert len(hidden) >= 5, hidden
    assert not set(hidden) & set(readable)
    assert not writable
    live = str(server.store / "live" / NAME)
    assert live in readable


def test_every_file_of_the_store_has_its_mode(site):
    server = in_the_midst_of_an_order(site)
    strange = []
    for path in paths_of(server):
        name = str(path)[len(str(server.store)) + 1:]
        mode = stat.S_IMODE(path.lstat().st_mode)
        wanted = [wanted for pattern, wanted in MODES
                  if re.fullmatch(pattern, name)]
        if not wanted or wanted[0] not in (None, mode):
            strange.append(f"{name or 'the store'}: {mode:o}")
        assert path.lstat().st_uid == 0
    assert not strange


def test_no_secret_is_in_log_journal_or_meta(site):
    server = in_the_midst_of_an_order(site)
    keys = [path.read_text() for path in paths_of(server)
            if path.is_file() and path.suffix == ".pem"
            and "PRIVATE" in path.read_text()]
    # The account's, the live, the next, the pending.
    assert len(keys) >= 4
    bodies = {line for key in keys for line in key.split("\n")
              if len(line) > 40}
    shown = [server.log_text, server.get(
        "/server-status", port=server.status_port).body]
    shown += [path.read_text() for path in server.store.rglob("*.json")
              if "pending" not in str(path)]
    assert not [line for line in bodies for text in shown if line in text]


def test_a_keeper_holds_no_listening_socket_and_leaves_no_core(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    listening = subprocess.run(["ss", "-ltnpH"], check=True, text=True,
                               stdout=subprocess.PIPE, timeout=PATIENCE).stdout
    assert f"pid={server.pid}," in listening
    assert f"pid={server.keeper}," not in listening
    with open(f"/proc/{server.keeper}/limits", encoding="utf-8") as limits:
        core = next(line for line in limits if "core file" in line)
    assert core.split()[4:6] == ["0", "0"]
    for pid, name in ((server.keeper, b"acme-keeper:"),
                      (server.witness, b"acme-witness:")):
        with open(f"/proc/{pid}/cmdline", "rb") as title:
            assert title.read().startswith(name)


def hmac_key():
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()[:43]


def bound_server(site, ca, key, lines="AcmeExternalAccount KID KEY"):
    """A server whose account is bound; its configuration is nobody else's."""
    server = site.server(ca)
    path = server.part("binding", lines.replace("KID", KID)
                       .replace("KEY", key) + "\n")
    path.chmod(0o600)
    server.vhost(NAME)
    return server


def in_file(server, key):
    """The directive when the key is in a file of its own."""
    path = server.root / "conf" / "hmac.key"
    path.write_text(key + "\n")
    path.chmod(0o600)
    server.part("binding", f"AcmeExternalAccount {KID} file:{path}\n")


def knowing(server, key):
    """Workers that have the key in their memory, as text or as octets; the
    witness, and what parses certificates."""
    octets = base64.urlsafe_b64decode(key + "=")
    assert server.workers
    return [pid for pid in (*server.workers, server.witness, server.cert_reader)
            if process.occurrences(pid, key.encode())
            or process.occurrences(pid, octets)]


def wait_unknown(server, key):
    """Until the youngest worker, which is forked with it, forgot it too."""
    wait_until(lambda: not knowing(server, key), "no worker has the key")


def holding(server, key):
    """Files with the key in them: the configuration's are left out."""
    return [path for path in server.root.rglob("*")
            if path.is_file() and not path.is_symlink()
            and server.root / "conf" not in path.parents
            and key.encode() in path.read_bytes()]


@pytest.mark.parametrize("where", ["inline", "file"])
@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_the_key_of_a_binding_is_the_keepers_alone(site, mpm, where):
    key = hmac_key()
    ca = site.ca(eab={KID: key})
    server = site.server(ca, mpm=mpm)
    server.part("binding", f"AcmeExternalAccount {KID} {key}\n").chmod(0o600)
    if where == "file":
        in_file(server, key)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    wait_unknown(server, key)
    server.graceful()
    assert server.renewal_child and server.keeper
    wait_unknown(server, key)
    server.wait_quiet(NAME)     # no file comes and goes
    assert not holding(server, key)
    assert process.occurrences(server.pid, key.encode()) == (
        where == "inline")


def test_each_keeper_can_bind_an_account(site):
    """Also one that the parent forked after it had tidied up."""
    key = hmac_key()
    ca = site.ca(eab={KID: key})
    server = bound_server(site, ca, key)
    server.start()
    server.wait_valid(NAME)
    server.kill(server.keeper)
    server.wait_log("acme: keeper: started", 3)
    ca.restart()                    # it knows no account any more
    server.renew(NAME)
    server.wait_valid(NAME, count=2)

    server.graceful()
    ca.restart()
    server.renew(NAME)
    server.wait_valid(NAME, count=3)
    wait_unknown(server, key)


CONFIGURATIONS = {
    "variable": "Define binding_secret KEY\n"
                "AcmeExternalAccount KID ${binding_secret}",
    "quoted": "AcmeExternalAccount KID \"KEY\"",
    "twice": "AcmeExternalAccount KID KEY\nAcmeExternalAccount KID KEY",
    "condition": "<IfModule acme_module>\nAcmeExternalAccount KID KEY\n"
                 "</IfModule>",
    "long file": "# " + "x" * 6000 + "\nAcmeExternalAccount KID KEY\n"
                 + "# comment\n" * 2000}


@pytest.mark.slow
@pytest.mark.parametrize("lines", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_the_key_is_forgotten_however_it_is_written(site, lines):
    key = hmac_key()
    server = bound_server(site, site.ca(eab={KID: key}), key, lines)
    server.start()
    server.wait_valid(NAME)
    wait_unknown(server, key)


def test_the_key_that_another_directive_needs_is_left(site):
    """The other module may use it in its workers; the administrator is told.
    """
    key = hmac_key()
    server = bound_server(site, site.ca(eab={KID: key}), key,
                          f"AcmeExternalAccount KID KEY\n"
                          f"Header always set X-Key {key}")
    server.start()
    server.wait_valid(NAME)
    server.wait_log("acme: AcmeExternalAccount: workers can read 1")
    assert server.get().headers["x-key"] == key
    server.graceful()
    server.renew(NAME)
    server.wait_valid(NAME, count=2)


def test_a_key_from_the_environment_is_there_after_a_reload(site):
    key = hmac_key()
    server = bound_server(site, site.ca(eab={KID: key}), key,
                          "AcmeExternalAccount KID ${BINDING_SECRET}")
    server.environment["BINDING_SECRET"] = key
    server.start()
    server.wait_valid(NAME)
    server.wait_log("acme: AcmeExternalAccount: workers can read 1")
    server.graceful()
    server.ca.restart()
    server.renew(NAME)
    server.wait_valid(NAME, count=2)


def test_httpd_t_says_nothing_of_a_key(site):
    key = hmac_key()
    server = bound_server(site, site.ca(), key)
    code, said = server.httpd_t("-DDUMP_ACME")
    assert code == 0 and key not in said
    server.part("binding", f"AcmeExternalAccount {KID} {key[:20]}\n")
    code, said = server.httpd_t()
    assert code != 0 and "AcmeExternalAccount" in said
    assert key[:20] not in said
