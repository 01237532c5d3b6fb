"""A store that is full, read-only or damaged: told, survived, mended."""

import json
import shutil
import subprocess

import pytest

from lib.wait import PATIENCE, stays, wait_until

NAME = "www.example.org"


@pytest.fixture
def on_own_disk(site):
    """Gives a server whose store is a small file system of its own."""
    mounted = []

    def make(ca):
        server = site.server(ca)
        server.store.mkdir(mode=0o755)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512k,mode=755", "acme-test",
             server.store], check=False, text=True, stderr=subprocess.PIPE)
        if "permission denied" in done.stderr:
            pytest.skip("no file system of its own here: "
                        "mount: permission denied")
        assert done.returncode == 0, done.stderr
        mounted.append(server)
        return server

    yield make
    for server in mounted:
        server.end()
        subprocess.run(["umount", "-l", server.store], check=True)


def fill(server):
    """Not an octet is left on the store's disk."""
    path = server.store / "filler"
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    return path


def remount(server, option):
    subprocess.run(["mount", "-o", f"remount,{option}", server.store],
                   check=True)


@pytest.mark.parametrize("step", ["order", "finalize", "certificate"])
def test_a_disk_that_gets_full_during_an_order(site, on_own_disk, step):
    ca = site.proxied_ca()
    server = on_own_disk(ca)
    server.vhost("first.example.org")
    server.start()
    first = server.wait_valid("first.example.org")

    held = ca.hold(step)
    server.renew("first.example.org")
    held.wait()
    filler = fill(server)
    held.release()
    server.wait_log("acme: .*file system is full")
    assert server.running
    assert server.look("first.example.org",
                       verify=True).serial == first.serial
    assert server.get_tls("first.example.org").status == 200

    filler.unlink()
    server.renew("first.example.org")
    server.wait_valid("first.example.org", count=2)
    wait_until(lambda: not temporary_files(server), "nothing is left over")


def temporary_files(server):
    """What a write that failed may have left."""
    known = {".pem", ".json", ".der", ".crt"}
    return [path for path in server.store.rglob("*") if path.is_file()
            and path.parent.name not in ("run", "aside")
            and (path.suffix not in known or path.name.startswith("."))]


def test_a_full_disk_at_a_restart(site, on_own_disk):
    server = on_own_disk(site.ca())
    server.vhost(NAME)
    server.start()
    served = server.wait_valid(NAME)
    filler = fill(server)
    server.restart()
    assert server.look(NAME, verify=True).serial == served.serial
    filler.unlink()
    server.renew(NAME)
    server.wait_valid(NAME, count=2)


def test_a_store_that_cannot_be_written(site, on_own_disk):
    ca = site.proxied_ca()
    server = on_own_disk(ca)
    server.vhost(NAME)
    server.start()
    served = server.wait_valid(NAME)
    server.stop()
    remount(server, "ro")
    server.start()
    server.wait_log("acme: .*[Rr]ead-only")
    assert server.look(NAME, verify=True).serial == served.serial
    assert server.get_tls(NAME).status == 200
    stays(lambda: ca.count("order") == 1, "nothing is ordered in vain", 3)

    remount(server, "rw")
    wait_until(lambda: server.acmectl("renew", NAME, "--force")[0] == 0,
               "the keeper has found its store again")
    server.wait_valid(NAME, count=2)


def test_a_store_that_others_can_write_is_not_used_until_mended(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    served = server.wait_valid(NAME)
    server.store.chmod(0o777)
    server.restart()
    server.wait_log("acme: .*others can write")
    assert server.look(NAME, verify=True).serial == served.serial

    server.store.chmod(0o755)
    wait_until(lambda: server.acmectl("renew", NAME, "--force")[0] == 0,
               "the keeper uses its store again")
    server.wait_valid(NAME, count=2)


@pytest.mark.parametrize("damage", ["garbage", "empty", "folder", "link",
                                    "wrong types"])
def test_a_damaged_journal_is_set_aside(site, damage):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    served = server.wait_valid(NAME)
    server.stop()
    journal = server.store / "journal" / f"{NAME}.json"
    spoil(journal, damage)
    server.start()

    assert server.wait_state(NAME, "valid")
    assert server.look(NAME, verify=True).serial == served.serial
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert json.loads(journal.read_text())["attempts"] == 0


def spoil(path, damage):
    before = path.read_bytes()
    path.unlink()
    if damage == "garbage":
        path.write_bytes(b"\x00\xffnonsense" * 100)
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "folder":
        path.mkdir()
        (path / "inside").write_text("x")
    elif damage == "link":
        path.symlink_to("/etc/passwd")
    elif damage == "cut":
        path.write_bytes(before[:len(before) // 2])
    elif damage == "wrong types":
        path.write_text('{"attempts": "many", "next_at": [], "events": 7}')


@pytest.mark.parametrize("damage", ["garbage", "empty", "cut", "folder"])
def test_damaged_files_of_an_order_under_way(site, damage):
    ca = site.proxied_ca()
    held = ca.hold("finalize")
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    held.wait()
    server.stop()
    pending = server.store / "pending" / NAME
    for path in sorted(pending.iterdir()):
        spoil(path, damage)
    held.release()
    server.start()
    server.wait_valid(NAME)
    assert not server.failures(NAME)


@pytest.mark.parametrize("damage", ["garbage", "empty", "cut", "folder",
                                    "wrong types"])
def test_a_damaged_account_file_is_found_again_by_its_key(site, damage):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    server.stop()
    account, = server.store.glob("accounts/*/account.json")
    spoil(account, damage)
    server.start()
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert [request.status for request in ca.seen("account")] == [201, 200]


def test_a_damaged_account_key_is_told_and_not_replaced(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost(NAME)
    server.start()
    served = server.wait_valid(NAME)
    server.stop()
    key, = server.store.glob("accounts/*/key.pem")
    good = key.read_text()
    key.write_text("garbage")
    server.start()
    server.renew(NAME)
    assert "key.pem" in server.wait_failed(NAME)
    assert key.read_text() == "garbage"
    assert server.look(NAME, verify=True).serial == served.serial

    key.write_text(good)
    server.restart()
    server.renew(NAME)
    server.wait_valid(NAME, count=2)


@pytest.mark.parametrize("file", ["fullchain.pem", "privkey.pem"])
@pytest.mark.parametrize("damage", ["garbage", "empty", "cut", "folder"])
def test_a_damaged_live_certificate_never_stops_a_start(site, file, damage):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    server.stop()
    spoil((server.store / "live" / NAME).resolve() / file, damage)
    server.start()
    server.wait_valid(NAME, count=2)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["garbage", "empty", "folder", "link"])
def test_a_damaged_placeholder_never_stops_a_start(site, damage):
    relay = site.relay()
    server = site.server(site.ca())
    server.vhost(NAME)
    relay.shut()
    server.start()
    relay.wait_waiting()
    server.stop()
    for path in sorted((server.store / "placeholder").iterdir()):
        spoil(path, damage)
    server.start()
    assert server.look(NAME).self_signed
    relay.open()
    # The CA may look before the order goes on: then the next attempt is in a
    # minute.
    server.wait_valid(NAME, timeout=PATIENCE + 70)


@pytest.mark.slow
def test_a_store_that_was_copied_with_its_links_followed(site):
    """cp -rL leaves folders in live/: served at once, and made links."""
    names = [f"{i}.example.org" for i in range(3)]
    ca = site.proxied_ca(always_valid=True)
    server = site.server(ca)
    for name in names:
        server.vhost(name)
    server.start()
    served = {name: server.wait_valid(name).serial for name in names}
    server.stop()
    orders = ca.count("order")
    copy = server.store.with_name("copy")
    subprocess.run(["cp", "-rL", server.store / "live", copy], check=True)
    shutil.rmtree(server.store / "live")
    copy.rename(server.store / "live")
    dangling = server.store / "live" / names[2]
    shutil.rmtree(dangling)
    dangling.symlink_to(f"../archive/{names[2]}/9")
    server.start()

    for name in names:
        assert server.look(name, verify=True).serial == served[name]
        server.wait_state(name, "valid")
        link = server.store / "live" / name
        assert str(link.readlink()) == f"../archive/{name}/1"
        assert server.matching(f"acme: {name}: .*made a link again, to "
                               f"archive/{name}/1")
    aside = [path.name for path in (server.store / "aside").iterdir()]
    assert len([name for name in aside if "-live-" in name]) == 2
    stays(lambda: ca.count("order") == orders, "nothing is ordered", 2)

    # Each keeper looks again.
    link = server.store / "live" / names[0]
    link.unlink()
    shutil.copytree(server.store / "archive" / names[0] / "1", link)
    server.kill(server.keeper)
    server.wait_log(f"acme: {names[0]}: .*made a link again", 2)
    assert server.look(names[0], verify=True).serial == served[names[0]]


def test_foreign_files_everywhere_never_stop_a_start(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    server.stop()
    for folder in [server.store, *server.store.rglob("*")]:
        if folder.is_dir() and not folder.is_symlink():
            (folder / "foreign").write_text("x")
            (folder / "0.tmp").write_text("x")
    (server.store / "live" / "dangling").symlink_to("../archive/no/1")
    server.start()
    server.renew(NAME)
    server.wait_valid(NAME, count=2)


@pytest.mark.parametrize("target", [None, f"../archive/{NAME}/99"])
def test_a_live_link_that_is_missing_or_points_to_nothing(site, target):
    server = site.server(site.ca())
    server.vhost(NAME)
    server.start()
    served = server.wait_valid(NAME)
    server.stop()
    live = server.store / "live" / NAME
    live.unlink()
    if target:
        live.symlink_to(target)
    server.start()
    server.wait_log("made a link again")
    assert str(live.readlink()) == f"../archive/{NAME}/1"
    assert server.wait_valid(NAME).serial == served.serial
    assert len(server.installed(NAME)) == 1
