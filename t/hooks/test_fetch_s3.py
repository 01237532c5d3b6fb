"""fetch-s3: what a host that only serves has after a run."""

import fcntl
import json
import os
import pathlib
import stat

import pytest

from s3_hooks import Issuer, bucket, gateway        # noqa: F401

PARTS = ("privkey", "cert", "chain", "fullchain")
NAMES = ("example.com", "www.example.com")


class Host:
    """It fetches from the bucket; a certificate is published by hand."""

    def __init__(self, bucket, folder):
        self.bucket = bucket
        self.output = folder / "output"
        self.issuer = Issuer()
        self.versions = 0

    def publish(self, files=None, base=None, pointer=None, flat=False,
                **how):
        """What is written: the pointer, or it with these members replaced."""
        files = files or self.issuer.issue(NAMES, **how)
        self.versions += 1
        base = base or f"p/example.com/2026-11-28T05:00:{self.versions:02}Z"
        for part, text in files.items():
            self.bucket.write(f"{base}/{part}.pem", text)
        keys = {part: f"{base}/{part}.pem" for part in PARTS}
        content = {"timestamp": base[-20:],
                   **(keys if flat else {"cert": keys}), **(pointer or {})}
        self.bucket.write("p/example.com.json", json.dumps(content))
        return files

    def arguments(self, *more):
        return ("fetch-s3", "--object", "p/example.com.json", "--output",
                self.output, *more)

    def fetch(self, *more, **how):
        return self.bucket.succeeds(*self.arguments(*more), **how)

    def refuses(self, *more, **how):
        before = self.served()
        said = self.bucket.fails(*self.arguments(*more), **how)
        assert self.served() == before
        return said

    def served(self):
        current = self.output / "current"
        return current.exists() and {
            part: (current / f"{part}.pem").read_text() for part in PARTS}

    def folders(self):
        return sorted(name for name in os.listdir(self.output)
                      if not name.startswith(".") and name != "current")


@pytest.fixture
def host(bucket, tmp_path):
    return Host(bucket, tmp_path)


@pytest.fixture
def aws(gateway):
    """The environment with Debian's, instead of the quick one."""
    return {"environment": gateway.environment}


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_fetch(host, aws, tmp_path):
    """Swapped when new, and the command is run until it succeeds."""
    log = tmp_path / "log"
    (tmp_path / "reload").write_text(
        '#!/bin/sh\necho "$RENEWED_DOMAINS $(readlink "$RENEWED_LINEAGE")"'
        f' >>{log}\n[ -e {tmp_path}/good ]\n')
    (tmp_path / "reload").chmod(0o755)
    command = ("--owner", "daemon:www-data", "--mode", "0640", "--name",
               "www.example.com", "--", tmp_path / "reload")

    files = host.publish()
    assert "exited with 1; it is tried again" in host.bucket.fails(
        *host.arguments(*command), **aws)
    assert host.served() == files
    key = host.output / "current/privkey.pem"
    assert (mode(key), key.owner(), key.group()) == \
        (0o640, "daemon", "www-data")
    assert mode(host.output / "current/cert.pem") == 0o644
    assert mode(key.parent) == 0o755

    # Nothing new: only the command, and when it has succeeded, nothing.
    host.bucket.fails(*host.arguments(*command))
    (tmp_path / "good").touch()
    assert host.fetch(*command) == ""
    assert host.fetch(*command) == ""
    folder, = host.folders()
    assert log.read_text() == f"{' '.join(NAMES)} {folder}\n" * 3

    # The other form of a pointer, and the last three folders.
    for _ in range(4):
        files = host.publish(flat=True)
        assert "new certificate for example.com" in host.fetch(
            "--keep", 3, *command)
        assert host.served() == files
    assert len(log.read_text().splitlines()) == 7
    assert len(host.folders()) == 3
    assert os.readlink(host.output / "current") == host.folders()[-1]
    assert not list(host.output.glob(".new*"))


def test_refusals(host, aws):
    """What does not belong together, is too old, or leads elsewhere."""
    good = host.publish(begin=-3600)
    host.fetch()
    other = host.issuer.issue(NAMES)
    stranger = Issuer().issue(NAMES)

    host.publish({**good, "privkey": other["privkey"]})
    assert "privkey.pem is not the key of cert.pem" in host.refuses()
    host.publish({**other, "chain": stranger["chain"],
                  "fullchain": other["cert"] + stranger["chain"]})
    assert "is not signed by the next one" in host.refuses()
    host.publish({**other, "fullchain": good["fullchain"]})
    assert "fullchain.pem is not cert.pem and chain.pem" in host.refuses()
    host.publish({**other, "privkey": "no key\n"})
    assert "is not the key of" in host.refuses()
    host.publish({**other, "cert": "x" * 300_000})
    assert "is larger than" in host.refuses()
    host.publish(pointer={"sha256": "00" * 32})
    assert "not the certificate that the pointer describes" in host.refuses()
    host.publish(begin=-7200)
    assert "older than the one here" in host.refuses()
    host.publish(begin=-3000, end=-60)
    assert "cert.pem expired at" in host.refuses()
    host.publish()
    assert "is not for mail.example.com" in host.refuses(
        "--name", "mail.example.com")

    # Keys of objects: only below the name of the pointer.
    for key in ("other.com/privkey.pem", "p/example.com/../x/privkey.pem",
                "/etc/passwd", 7, None, ["p/example.com/privkey.pem"]):
        cert = {part: f"p/example.com/x/{part}.pem" for part in PARTS}
        host.bucket.write("p/example.com.json", json.dumps(
            {"cert": {**cert, "privkey": key}}))
        assert "is not a pointer to a certificate" in host.refuses()
    for text in ("[]", "no JSON", "{}", "[" * 10000, '{"others": {"../x":0}}'):
        host.bucket.write("p/example.com.json", text)
        assert "is not a pointer to a certificate" in host.refuses()
    host.bucket.client.delete(host.bucket.name, "p/example.com.json")
    assert "there is no such object" in host.refuses(**aws)
    assert host.served() == good and len(host.folders()) == 1

    # Another run, a run that was killed, and options.
    with open(host.output / ".lock", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "another fetch-s3 works on it" in host.refuses()
    (host.output / ".new-left").mkdir()
    for option, value in (("--mode", "0644"), ("--owner", "nobody:none"),
                          ("--object", "example.com")):
        host.bucket.fails(*host.arguments(option, value), code=2)
    files = host.publish()
    host.fetch()
    assert host.served() == files
    assert not (host.output / ".new-left").exists()


def test_a_root_that_signs_itself(host, aws):
    """Its chain is an empty file; no other file may be empty, or missing."""
    files = host.publish(by_root=True)
    host.fetch(**aws)
    assert host.served() == files and files["chain"] == ""
    host.publish({**host.issuer.issue(NAMES, by_root=True), "cert": ""})
    assert "there is no such object, or it is empty" in host.refuses()
    host.publish()
    host.bucket.client.delete(
        host.bucket.name,
        f"p/example.com/2026-11-28T05:00:{host.versions:02}Z/chain.pem")
    assert "NoSuchKey" in host.refuses(**aws)


def test_published_together(host, aws, tmp_path):
    """What publish-s3 writes is what fetch-s3 reads: two key types."""
    from s3_hooks import Store

    store = Store(tmp_path / "acme")
    files = store.install(kinds=("", "-rsa"))
    host.bucket.succeeds("publish-s3", "--prefix", "p", **store.event)
    host.fetch(**aws)
    for name, text in files.items():
        assert (host.output / "current" / name).read_text() == text
    assert mode(host.output / "current/privkey-rsa.pem") == 0o600
    assert pathlib.Path(host.output / "current").is_symlink()
