"""The keeper has given up what it does not need, and its commands have not."""

import os
import pathlib
import pwd
import re
import signal

import pytest

from lib import process
from lib.httpd import SANITIZERS, WORKER
from lib.wait import wait_until

NAME = "www.example.org"
NOBODY = pwd.getpwnam("nobody").pw_uid

# What SECURITY.md promises. CAP_DAC_READ_SEARCH is the third capability.
OF_ROOT = {"CapInh": 0, "CapPrm": 1 << 2, "CapEff": 1 << 2, "CapBnd": 0,
           "CapAmb": 0, "NoNewPrivs": 1}
OF_OTHERS = {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapAmb": 0,
             "NoNewPrivs": 1}


def status_of(pid):
    """The numbers of /proc/PID/status."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {key: int(value, 16) for key, value in
            re.findall(r"^(Cap\w+|NoNewPrivs|Seccomp):\t(\w+)$", text,
                       re.MULTILINE)}


def limits_of(pid):
    """The hard limits that are set."""
    text = pathlib.Path(f"/proc/{pid}/limits").read_text()
    return {name: int(hard) for name, hard in
            re.findall(r"^(Max .*?)  +\w+ +(\d+) ", text, re.MULTILINE)}


def assert_confined(pid, promised):
    status = status_of(pid)
    assert {key: status[key] for key in promised} == promised
    assert status["Seccomp"] == 2
    limits = limits_of(pid)
    assert limits["Max core file size"] == 0
    assert limits["Max processes"] == 0
    assert limits["Max open files"] < 2000
    if not SANITIZERS:
        assert limits["Max address space"] < 2 * 1024 ** 3


def launcher_of(server):
    pid, = process.children(server.keeper)
    assert process.name(pid) == "acme-launcher"
    return pid


# Of the process that parses certificates: nothing at all.
OF_READER = {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapAmb": 0,
             "NoNewPrivs": 1, "Seccomp": 2}


def assert_reader_confined(pid, user):
    status = status_of(pid)
    assert {key: status[key] for key in OF_READER} == OF_READER
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    for key in ("Uid", "Gid"):
        ids = re.search(rf"^{key}:\t(.*)$", text, re.MULTILINE)[1].split()
        assert len(set(ids)) == 1 and ids != ["0"] * 4
    if user is not None:
        assert process.owner(pid) == user
    limits = limits_of(pid)
    for name in ("core file size", "processes", "open files", "file size"):
        assert limits[f"Max {name}"] == 0
    if not SANITIZERS:
        assert limits["Max address space"] < 2 * 1024 ** 3
        one, = process.descriptors(pid)
        assert one.startswith("socket:")


def hook(server, script):
    """A command of the administrator's, and where it writes."""
    path = server.root / "hook"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def reports_itself(server):
    return hook(server, f"grep -E '^(Uid|Cap...|NoNewPrivs|Seccomp):' "
                        f"/proc/self/status >{server.root}/run/said")


def told_by(server):
    said = server.root / "run" / "said"
    wait_until(lambda: said.exists() and "Seccomp:" in said.read_text(),
               "the command has run")
    return said.read_text()


def test_the_keeper_of_root(site):
    server = site.server(site.ca())
    server.part("hook", f"AcmeHook notify {reports_itself(server)}\n")
    server.vhost(NAME)
    server.start()
    server.wait_installed(NAME)
    ours = status_of(os.getpid())
    server.wait_valid(NAME)
    assert_confined(server.keeper, OF_ROOT)
    reader = server.cert_reader
    assert_reader_confined(reader, NOBODY)
    assert status_of(reader)["CapBnd"] == 0
    groups = pathlib.Path(f"/proc/{reader}/status").read_text()
    assert re.search(r"^Groups:\t *$", groups, re.MULTILINE)

    # The command and the launcher have all that httpd was started with.
    told = dict(line.split(":\t", 1) for line in
                told_by(server).strip().split("\n"))
    for rights in (status_of(launcher_of(server)),
                   {key: int(value, 16) for key, value in told.items()
                    if key != "Uid"}):
        assert rights["CapEff"] == rights["CapPrm"] == ours["CapEff"]
        assert rights["CapBnd"] == ours["CapBnd"]
        assert rights["NoNewPrivs"] == rights["Seccomp"] == 0
    assert told["Uid"].split() == ["0"] * 4
    assert limits_of(launcher_of(server))["Max open files"] \
        == limits_of(server.pid)["Max open files"]
    assert "without this protection" not in server.log_text


def test_the_keeper_of_another_user(site):
    server = site.server(site.ca(), as_root=False)
    server.part("hook", f"AcmeHook notify {reports_itself(server)}\n")
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    assert_confined(server.keeper, OF_OTHERS)
    assert_reader_confined(server.cert_reader, None)
    assert f"Uid:\t{WORKER.pw_uid}\t" in told_by(server)
    assert "without this protection" not in server.log_text


def test_the_guard_still_tests(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    first = server.wait_valid(NAME)
    broken = server.part("broken", "")
    broken.write_text("NoSuchDirective on\n")
    server.renew(NAME)
    server.wait_log("reload: postponed.*broken.conf")
    assert server.look(NAME, verify=True).serial == first.serial
    broken.unlink()
    server.wait_valid(NAME, count=2)


def test_files_of_other_users_hold_no_reload(site):
    """Root reads them, and so must the guard of a reload."""
    server = site.server(site.ca())
    cert, key = site.authority.server_files("own", "own.example.org")
    private = site.folder / "private"
    private.mkdir(0o700)
    for path in (cert, key):
        path.chmod(0o600)
    paths = [path.rename(private / path.name) for path in (cert, key)]
    part = server.vhost("own.example.org",
                        body=f"SSLCertificateFile {paths[0]}\n"
                             f"SSLCertificateKeyFile {paths[1]}")
    part.chmod(0o600)
    for path in (*paths, private, part):
        os.chown(path, WORKER.pw_uid, WORKER.pw_gid)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    assert not server.matching("reload: postponed")


def test_a_launcher_that_ended_is_replaced(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    before = server.keeper
    os.kill(launcher_of(server), 9)
    server.wait_log("process that runs commands has ended")
    wait_until(lambda: server.keeper != before, "another keeper has started")
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert launcher_of(server)


def test_a_reader_of_certificates_that_fails(site):
    """It ends or hangs, at a certificate or not: the keeper lives, what is
    installed is served, the refusal says why, and the next one works."""
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)

    # Idle: nobody notices.
    idle = server.cert_reader
    os.kill(idle, signal.SIGKILL)
    wait_until(lambda: not process.alive(idle), "the reader has ended")
    server.renew(NAME)
    second = server.wait_valid(NAME, count=2)
    keeper, launcher, reader = (server.keeper, launcher_of(server),
                                server.cert_reader)
    assert process.children(launcher) == [reader]

    # In the middle of a certificate.
    hold = ca.hold("certificate")
    server.renew(NAME)
    hold.wait()
    os.kill(reader, signal.SIGSTOP)
    hold.release()
    assert "the process that parses certificates did not answer for 10 " \
        "seconds" in server.wait_failed(NAME)
    wait_until(lambda: not process.alive(reader), "the reader was replaced")
    assert server.cert_reader != reader
    assert server.look(NAME, verify=True).serial == second.serial
    assert (server.keeper, launcher_of(server)) == (keeper, launcher)
    server.renew(NAME)
    server.wait_valid(NAME, count=3)


@pytest.mark.parametrize("then", [
    "answers", "dies", "reload", pytest.param("worker",
                                              marks=pytest.mark.whole)])
def test_others_are_served_while_a_certificate_is_read(site, then):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.part("activate", "AcmeActivate none\n")
    other = "other.example.org"
    server.vhost(NAME)
    server.vhost(other)
    server.start()
    for name in (NAME, other):
        server.wait_installed(name)
    reader, worker = server.cert_reader, server.renewal_child
    os.kill(reader, signal.SIGSTOP)
    server.renew(NAME)
    ca.wait_for("certificate", 3)
    server.renew(other)                     # its keeper signs and publishes
    ca.wait_for("certificate", 4)
    assert server.acmectl("status", NAME)[0] == 0
    if then == "dies":                      # at the first one
        os.kill(reader, signal.SIGKILL)
        assert "ended while it read it" in server.wait_failed(NAME)
        server.wait_installed(other, count=2)
        server.renew(NAME)
    if then == "reload":
        server.graceful()
    if then == "worker":
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: not process.alive(worker), "it has ended")
    if then in ("answers", "worker"):
        os.kill(reader, signal.SIGCONT)
    for name in (NAME, other):
        server.wait_installed(name, count=2)
    assert then == "dies" or len(ca.orders) == 4        # they were resumed


@pytest.mark.whole
@pytest.mark.parametrize("how", ["stop", "reload"])
def test_a_command_outlives_keeper_and_launcher(site, how):
    server = site.server(site.ca())
    script = hook(server, "until [ -e run/go ]; do sleep 0.05; done\n"
                          "echo $$ >run/done".replace(
                              "run/", f"{server.root}/run/"))
    server.part("hook", f"AcmeHook notify {script}\nAcmeActivate none\n")
    server.vhost(NAME)
    server.start()
    server.wait_installed(NAME)
    launcher = launcher_of(server)
    pid = wait_until(lambda: server.commands, "it runs")[0]
    if how == "stop":
        server.stop()
    else:
        server.graceful()
    wait_until(lambda: not process.alive(launcher), "the launcher has ended")
    assert process.alive(pid)
    (server.root / "run" / "go").touch()
    done = server.root / "run" / "done"
    wait_until(lambda: done.exists() and done.read_text() == f"{pid}\n",
               "the command has done its work")
