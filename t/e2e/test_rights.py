"""What a worker that was taken over could read and write: no secret."""

import json
import re
import stat
import subprocess
import sys

from lib.httpd import WORKER

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
    (r"journal/[^/]+\.json", 0o644),
    (r"journal", 0o755),
    (r"placeholder/[^/]*key[^/]*", 0o600),
    (r"placeholder/.*", None),
    (r"placeholder", 0o700),
    (r"aside(/.*)?", None),             # in a folder of 0700
    (r"run/[^/]+", 0o600),
    (r"run", 0o700),
    (r"", 0o755),
]

SECRET = re.compile(r"privkey|key\.pem|account\.json|^pending|^run/|^aside/")

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


def in_the_midst_of_an_order(site):
    """A server with one certificate, and an order before its finalization."""
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
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
    secrets = [path for path in paths
               if SECRET.search(path[len(str(server.store)) + 1:])]
    done = subprocess.run(
        [sys.executable, "-c", TRY], input=json.dumps(paths), check=True,
        user=WORKER.pw_uid, group=WORKER.pw_gid, extra_groups=[],
        stdout=subprocess.PIPE, text=True, timeout=30)
    readable, writable = json.loads(done.stdout)

    assert len(secrets) >= 5, secrets
    assert not set(secrets) & set(readable)
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
    assert len(keys) >= 3           # the account's, the live, the pending
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
                               stdout=subprocess.PIPE, timeout=30).stdout
    assert f"pid={server.pid}," in listening
    assert f"pid={server.keeper}," not in listening
    with open(f"/proc/{server.keeper}/limits", encoding="utf-8") as limits:
        core = next(line for line in limits if "core file" in line)
    assert core.split()[4:6] == ["0", "0"]
    with open(f"/proc/{server.keeper}/cmdline", "rb") as title:
        assert b"acme" in title.read()
