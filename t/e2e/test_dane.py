"""AcmeKeyReuse next: the key of each renewal was announced before."""

import json
import os
import re
import shutil
import subprocess

import pytest

from lib.howto import Howto
from lib.wait import PATIENCE, wait_until

NAME = "www.example.org"
OWNER = f"_443._tcp.{NAME}"
NEXT = "AcmeKeyReuse next 1s"


def started(site, *lines):
    server = site.server(site.ca())
    server.vhost(NAME, body="\n".join(lines))
    server.start()
    return server


def printed(server, name):
    code, said = server.acmectl("tlsa", name, "--json")
    return said if code == 0 else None


def announced(server, which="next", name=NAME):
    """The digests that acmectl tlsa prints of these keys.

    It is asked again when a reload has just ended the keeper.
    """
    said = wait_until(lambda: printed(server, name),
                      f"acmectl prints the records of {name}")
    # Without httpd a line on stderr says so.
    return [row["value"].split()[-1]
            for row in json.loads(said[said.index("["):])
            if row["key"] == which]


def digest(served):
    return subprocess.run(
        ["openssl", "dgst", "-sha256", "-r"], input=served.public_key,
        stdout=subprocess.PIPE, check=True,
        timeout=PATIENCE).stdout.split()[0].decode()


def next_key(server, kind="p256"):
    return server.store / "next" / NAME / f"{kind}.pem"


def grow_old(server, seconds=10):
    """As if its next keys had been made before."""
    for path in (server.store / "next").glob("*/*"):
        then = path.stat().st_mtime - seconds
        os.utime(path, (then, then))


def renewed(server, count):
    server.renew(NAME)
    return server.wait_valid(NAME, count=count)


def wait_deployed(server, count):
    """Until then the next key may not be published."""
    path = server.store / "deploy" / f"{NAME}.json"

    def is_deployed():
        done = json.loads(path.read_text())
        return done["certificate"].startswith(f"{count} ") and done["complete"]

    server.wait(is_deployed, f"deploy was run for certificate {count}")


def dane_says(server, records):
    """What openssl finds with these records."""
    done = subprocess.run(
        ["openssl", "s_client", "-brief", "-connect",
         f"127.0.0.1:{server.https_port}", "-dane_tlsa_domain", NAME,
         *(word for record in records
           for word in ("-dane_tlsa_rrdata", record))],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=PATIENCE)
    return done.stdout


@pytest.fixture(name="zone")
def named(netns, site):
    netns.resolver("127.0.0.1")
    return site.named(port=53)


def published(zone):
    """The records in the DNS, as openssl takes them."""
    return {record.to_text() for rrset in zone.ask(OWNER, "TLSA").answer
            for record in rrset}


def test_the_page(site, zone):
    server = site.server(site.ca(dns=zone.at))
    script = site.folder / "publish-tlsa"
    page = Howto("dane.md", server, {
        "/usr/local/sbin/publish-tlsa": script,
        "acmectl tlsa \"": f"{server.root}/bin/acmectl tlsa \"",
        "192.0.2.53": "127.0.0.1", "/etc/acme/tsig.key": zone.key_file,
        "*:443": f"127.0.0.1:{server.https_port}"})
    page.configure("www")
    commands, text = page.blocks[0][1], page.blocks[1][1]
    script.write_text(text)
    script.chmod(0o755)
    server.start()
    first = server.wait_valid(NAME)
    server.wait(lambda: len(published(zone)) == 2, "deploy publishes both")
    assert "next key" in commands
    page.run()
    page.take("sh")
    page.run()
    assert {record.split()[-1] for record in published(zone)} == {
        digest(first), *announced(server)}

    # It is too young.
    second = renewed(server, 2)
    assert second.public_key == first.public_key
    assert server.matching("the renewal keeps the current key: ")
    following, = announced(server)
    wait_deployed(server, 2)
    grow_old(server, 2 * 86400)
    third = renewed(server, 3)
    assert digest(third) == following
    server.wait(lambda: following in str(published(zone))
                and digest(first) not in str(published(zone)),
                "the record of the former key is gone")
    assert len(published(zone)) == 2
    assert "Verification: OK" in dane_says(server, published(zone))
    assert "Verified peername" not in dane_says(
        server, [f"3 1 1 {digest(first)}"])

    following, = announced(server)
    page.run()
    server.wait_log("acme: .*: done: revocation")
    last = renewed(server, 4)           # the fourth of a day would rest
    assert digest(last) == following
    assert server.matching("the next key .p256. is used before ")
    page.end()


def test_it_survives_restarts_and_damage(site):
    server = started(site, NEXT)
    first = server.wait_valid(NAME)
    following, = announced(server)
    rows = json.loads(server.acmectl("tlsa", NAME, "--json")[1])
    assert rows[0]["made"] is rows[0]["usedFrom"] is None
    assert rows[1]["made"] < rows[1]["usedFrom"]
    assert next_key(server).stat().st_mode & 0o777 == 0o600
    server.wait(lambda: [server.certificate(NAME).get(f"NextKey{when}")
                         for when in ("Made", "From")]
                == [rows[1]["made"], rows[1]["usedFrom"]], "it is shown")
    server.stop()
    assert announced(server) == [following]
    code, said = server.acmectl("tlsa", NAME)
    assert code == 0 and re.search(r"^; next key, made at [-0-9: ]+ UTC: next/"
                                   f"{NAME}/p256.pem$", said, re.M), said
    assert "PRIVATE" not in said

    # A backup, restored elsewhere.
    shutil.copytree(server.store, server.root / "backup",
                    ignore=shutil.ignore_patterns("run"))
    shutil.rmtree(server.store)
    shutil.copytree(server.root / "backup", server.store)
    server.start()
    server.wait_log("acme: keeper: started", 2)
    assert announced(server) == [following]
    grow_old(server)
    second = renewed(server, 2)
    assert digest(second) == following

    next_key(server).write_text("damaged\n")
    third = renewed(server, 3)
    assert third.public_key == second.public_key
    server.wait_log("the next key cannot be used: .*set aside")
    assert list((server.store / "aside").glob("*p256.pem*"))
    following, = announced(server)
    grow_old(server)
    assert digest(renewed(server, 4)) == following
    assert len({digest(each) for each in (first, second)}) == 2


def test_changes_of_the_configuration(site):
    server = started(site)
    first = server.wait_valid(NAME)
    assert not announced(server)

    # The key of today is kept until the next one has its age.
    server.vhost(NAME, body="AcmeKeyReuse next 1h")
    server.graceful()
    server.wait_log("the next key .p256. is made")
    second = renewed(server, 2)
    assert second.public_key == first.public_key
    elliptic, = announced(server)

    # A second key type cannot be known before; then both are.
    server.vhost(NAME, body="AcmeKeyReuse next 1h\nAcmeKeyTypes p256 rsa2048")
    server.graceful()
    server.wait_installed(NAME, 3)
    server.wait(lambda: len(announced(server)) == 2, "there are two")
    both = announced(server)
    assert elliptic in both and len(announced(server, "current")) == 2
    grow_old(server, 3600)
    server.renew(NAME)
    server.wait_installed(NAME, 4)
    server.wait(lambda: set(announced(server, "current")) == set(both),
                "both are in use")
    server.wait(lambda: len(set(announced(server)) - set(both)) == 2,
                "both have another next key")

    server.vhost(NAME, body="AcmeKeyReuse off")
    server.graceful()
    server.wait(lambda: not announced(server), "they are removed")
    assert not next_key(server).parent.exists()
