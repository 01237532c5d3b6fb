"""kill -9 at any moment: at most an order is repeated, nothing is lost."""

import pytest

from lib import process, tls
from lib.process import alive
from lib.wait import PATIENCE, wait_until

NAME = "www.example.org"

STEPS = ["order", "challenge", "finalize", "certificate"]


def in_the_midst(site, step, **options):
    """A server whose request of this step lies at the CA; and the hold."""
    ca = site.proxied_ca()
    held = ca.hold(step)
    server = site.server(ca, **options)
    server.vhost(NAME)
    server.start()
    held.wait()
    return server, held


def goes_on(server, held):
    held.release()
    server.wait_valid(NAME)
    assert server.ca.count("order") <= 2
    assert server.ca.count("account") <= 2
    assert server.store.joinpath("archive", NAME, "1").exists()
    assert not server.store.joinpath("archive", NAME, "2").exists()


@pytest.mark.parametrize("mpm, step", [
    *(("event", step) for step in STEPS), ("prefork", "finalize"),
    ("worker", "finalize")])
def test_the_renewal_child_is_killed(site, mpm, step):
    server, held = in_the_midst(site, step, mpm=mpm)
    server.kill(server.renewal_child)
    server.wait_log("acme: renewal: runs in child", 2)
    assert server.loads == 1
    goes_on(server, held)


@pytest.mark.parametrize("step", STEPS)
def test_the_keeper_is_killed(site, step):
    server, held = in_the_midst(site, step)
    keeper = server.keeper
    server.kill(keeper)
    server.wait_log("acme: keeper: ended.*restarting it")
    server.wait_log("acme: keeper: started", 2)
    assert server.keeper != keeper
    assert server.loads == 1            # without a reload of the server
    assert server.get().status == 200
    goes_on(server, held)


@pytest.mark.parametrize("step", STEPS)
def test_the_parent_is_killed(site, step):
    server, held = in_the_midst(site, step)
    keeper = server.keeper
    server.kill_parent()
    wait_until(lambda: not alive(keeper), "the keeper ended with it")
    server.start()
    goes_on(server, held)


def test_a_keeper_ends_with_its_parent(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    keeper = server.keeper
    server.kill(server.pid)
    wait_until(lambda: not alive(keeper), "the keeper has ended")


def test_all_workers_are_killed(site):
    server, held = in_the_midst(site, "finalize")
    for pid in server.workers:
        server.kill(pid)
    wait_until(lambda: len(server.matching("renewal: runs in child")) > 1,
               "the renewal runs in another child")
    goes_on(server, held)


def test_a_keeper_that_is_killed_again_and_again(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    served = server.wait_valid(NAME)
    for _ in range(2):
        count = len(server.matching("acme: keeper: started"))
        server.kill(server.keeper)
        server.wait_log("acme: keeper: started", count + 1)
    assert server.look(NAME, verify=True).serial == served.serial
    server.renew(NAME)
    server.wait_valid(NAME, count=2)


def test_the_keeper_is_killed_among_installations(site):
    names = [f"n{i}.example.org" for i in range(8)]
    server = site.server(site.ca())
    for name in names:
        server.vhost(name)
    server.start()
    server.wait_log(r"acme: \S+: installed: ")
    server.kill(server.keeper)
    for name in names:
        served = server.wait_valid(name)
        folder = (server.store / "live" / name).resolve()
        assert {path.name for path in folder.iterdir()} == {
            "privkey.pem", "cert.pem", "chain.pem", "fullchain.pem",
            "meta.json"}
        assert tls.read(tls.read_chain(
            (folder / "fullchain.pem").read_text())[0]).serial == served.serial
    assert not list(server.store.glob("archive/*/.new"))


def renewed(site, reload_delay):
    """Serves the first certificate, and waits with the reload for the second:
    that of a placeholder would come at once."""
    server = site.server(site.ca(), reload_delay=reload_delay)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    server.renew(NAME)
    return server


def test_the_keeper_is_killed_between_installation_and_reload(site):
    server = renewed(site, reload_delay="4s")
    serial = server.wait_installed(NAME, count=2)
    count = len(server.matching("acme: keeper: started"))
    server.kill(server.keeper)
    server.wait_log("acme: keeper: started", count + 1)
    server.wait_served(NAME, serial)


def test_the_parent_is_killed_between_installation_and_reload(site):
    server = renewed(site, reload_delay="20s")
    serial = server.wait_installed(NAME, count=2)
    server.kill_parent()
    server.start()
    assert server.look(NAME, verify=True).serial == serial


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_a_server_in_one_process_ends_and_its_keeper_too(site, mpm):
    """Under -X the keeper is root's, and httpd no longer is."""
    server = site.server(site.ca(), mpm=mpm)
    server.vhost(NAME)
    one = process.Process(server.command("-X"), server.root / "logs" / "out",
                          env=server.process_environment)
    try:
        server.wait_log("acme: keeper: started, pid")
        server.wait_installed(NAME)
        server.wait_log("acme: reload: postponed: .*-X")
        keeper, = [pid for pid in process.children(one.pid)
                   if process.name(pid) == "acme-keeper"]
        one.popen.terminate()
        one.popen.wait(PATIENCE)
        wait_until(lambda: not process.alive(keeper), "the keeper has ended")
        wait_until(lambda: not process.children(one.pid), "all have ended")
    finally:
        one.end()
