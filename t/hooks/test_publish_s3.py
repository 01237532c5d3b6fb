"""publish-s3: what is in the bucket after a deploy, whatever happened."""

import datetime
import importlib.machinery
import importlib.util
import json
import pathlib
import pwd
import re
import subprocess
import textwrap

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from lib.ports import free_port
from lib.process import Process
from lib.wait import PATIENCE, wait_until
from s3_hooks import HOOKS, Store, bucket, gateway    # noqa: F401

PARTS = ("privkey", "cert", "chain", "fullchain")
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "acme")


def publish(bucket, store, *options, **how):
    return bucket.succeeds("publish-s3", *options, **store.event, **how)


def test_versions(bucket, store):
    """Two key types, the pointer, a run again, a new one, --keep."""
    files = store.install(kinds=("", "-rsa"))
    said = publish(bucket, store, "--prefix", "/certs/", "--keep", 2,
                   environment=bucket.gateway.plain)
    stamp, = re.findall(f"published to .*/({STAMP})/", said)
    assert bucket.keys() == sorted(
        ["certs/example.com.json",
         *(f"certs/example.com/{stamp}/{name}" for name in files)])
    for name, text in files.items():
        assert bucket.read(f"certs/example.com/{stamp}/{name}") == text

    pointer = json.loads(bucket.read("certs/example.com.json"))
    keys = {part: f"certs/example.com/{stamp}/{part}.pem" for part in PARTS}
    assert pointer["cert"] == keys
    assert [pointer[part] for part in PARTS if part != "cert"] == \
        [keys[part] for part in PARTS if part != "cert"]
    leaf = x509.load_pem_x509_certificate(files["cert.pem"].encode())
    assert pointer["timestamp"] == stamp
    assert pointer["domains"] == store.names
    assert int(pointer["serial"], 16) == leaf.serial_number
    assert pointer["sha256"] == leaf.fingerprint(hashes.SHA256()).hex()
    assert pointer["not_after"] == leaf.not_valid_after.strftime(
        "%Y-%m-%dT%H:%M:%SZ")
    assert pointer["others"]["rsa"]["privkey"].endswith("/privkey-rsa.pem")
    bucket.read("certs/example.com.json")
    assert bucket.client.headers["content-type"] == "application/json"

    # The same again is nothing to do, and what is not ours is left alone.
    before = bucket.keys()
    assert "is published already" in publish(
        bucket, store, "--prefix", "certs", "--keep", 2)
    assert bucket.keys() == before
    foreign = [f"certs/example.com/2001-01-01T00:00:00Z/{name}"
               for name in ("notes.txt", "privkey.pem.bak", "a/cert.pem")]
    foreign += ["certs/example.com/old/cert.pem", "certs/other.json",
                "certs/example.com-2/2001-01-01T00:00:00Z/cert.pem"]
    for key in foreign:
        bucket.write(key, "foreign")

    # A new certificate removes the first one, whose rest of files is ours.
    for _ in range(2):
        store.install()
        publish(bucket, store, "--prefix", "certs", "--keep", 2,
                environment=bucket.gateway.environment)
    pointer = json.loads(bucket.read("certs/example.com.json"))
    assert "others" not in pointer and pointer["timestamp"] > stamp
    stamps = {key.split("/")[2] for key in bucket.keys()
              if key not in foreign and key.count("/") == 3}
    assert len(stamps) == 2 and pointer["timestamp"] in stamps
    assert stamp not in stamps
    assert set(foreign) < set(bucket.keys())


def test_failed_uploads_are_no_versions(bucket, store):
    """They do not push whole ones out, and go when one has succeeded."""
    stamps = []
    for _ in range(2):
        store.install()
        stamps += re.findall(f"published to .*/({STAMP})/",
                             publish(bucket, store, "--keep", 2))
    left = [f"example.com/{stamp}/{name}" for stamp, names in {
        "2001-01-01T00:00:00Z": ("privkey.pem", "cert.pem", "chain.pem"),
        "2098-01-01T00:00:00Z": ("cert.pem",),
        "2099-01-01T00:00:00Z": ("cert.pem", "cert-rsa.pem"),
    }.items() for name in names]
    for key in left:
        bucket.write(key, "left")
    assert "already" in publish(bucket, store, "--keep", 0)
    assert set(left) < set(bucket.keys())
    assert "already" in publish(bucket, store, "--keep", 2)
    assert {key.split("/")[1] for key in bucket.keys() if "/" in key} \
        == set(stamps)
    assert len(bucket.keys()) == 2 * 4 + 1


def test_flat(bucket, store):
    """A pointer for readers who want the four at its top."""
    store.install()
    publish(bucket, store)
    publish(bucket, store, "--flat")
    pointer = json.loads(bucket.read("example.com.json"))
    assert re.fullmatch(f"example.com/{STAMP}/cert.pem", pointer["cert"])
    assert len(bucket.keys()) == 9


def test_fixed(bucket, store):
    store.install()
    publish(bucket, store, "--layout", "fixed",
            environment=bucket.gateway.environment)
    files = store.install()
    publish(bucket, store, "--layout", "fixed")
    assert bucket.keys() == sorted(f"certificates/example.com/{part}.pem"
                                   for part in PARTS)
    for name, text in files.items():
        assert bucket.read(f"certificates/example.com/{name}") == text
    assert "already" in publish(bucket, store, "--layout", "fixed")


def failing(folder, environment, words):
    """With an aws that fails when its command has the words."""
    folder.mkdir()
    aws = environment["PATH"].partition(":")[0] + "/aws"
    (folder / "aws").write_text(textwrap.dedent(f"""\
        #!/bin/sh
        case "$*" in *"{words}"*) echo 'Connection was closed' >&2; exit 1;;
        esac
        exec {aws} "$@"
        """))
    (folder / "aws").chmod(0o755)
    return {**environment, "PATH": f"{folder}:{environment['PATH']}"}


def test_failures(bucket, store, tmp_path):
    """Each says what to do, and leaves the pointer as it is."""
    def fails(*options, **how):
        return bucket.fails("publish-s3", *options, **{
            "environment": gateway.environment, **store.event, **how})

    gateway = bucket.gateway
    store.install()
    publish(bucket, store)
    pointer = bucket.read("example.com.json")
    store.install()

    wrong = gateway.home(f"wrong-{bucket.name}", "TESTKEYOFTHEADMIN000",
                         "no" * 20)
    assert f"correct it in {wrong['HOME']}/.aws/credentials" in fails(
        environment=wrong)
    assert "give the machine a role" in fails(HOME="/nonexistent")
    assert "add the profile to" in fails("--profile", "missing")
    assert "--endpoint-url or --region correct?" in fails(
        endpoint=f"http://127.0.0.1:{free_port()}")
    assert "create the bucket" in fails("--bucket", bucket.name + "-missing")
    (tmp_path / "no-aws").mkdir()
    (tmp_path / "no-aws/openssl").symlink_to("/usr/bin/openssl")
    assert "install the package awscli" in fails(
        code=2, PATH=str(tmp_path / "no-aws"))
    assert "is a command for AcmeHook deploy" in bucket.fails(
        "publish-s3", code=2)
    assert "not the id of" in fails(ACME_ID="../other", code=2)
    assert "not the name of a bucket" in fails("--bucket", "s3://b/", code=2)
    for words in ("s3 cp", "s3api put-object"):
        broken = failing(tmp_path / words.replace(" ", "-"), bucket.quick, words)
        said = fails(environment=broken)
        assert f"s3://{bucket.name}/" in said and "was closed" in said
    assert bucket.read("example.com.json") == pointer

    # What the failure left is removed by a later run, not mixed into it.
    publish(bucket, store, "--keep", 1)
    assert len(bucket.keys()) == 5
    (store.live / "chain.pem").unlink()
    assert "chain.pem: the file is missing" in fails()

    # Removal is tried again, too.
    store.install()
    broken = failing(tmp_path / "rm", bucket.quick, "s3 rm")
    assert "is published, but" in fails("--keep", 1, environment=broken)
    assert len(bucket.keys()) == 9
    assert "already" in publish(bucket, store, "--keep", 1)
    assert len(bucket.keys()) == 5


def test_home(store, tmp_path):
    """The launcher passes no HOME: it is that of the user."""
    store.install()
    (tmp_path / "aws").write_text('#!/bin/sh\necho "HOME=$HOME" >&2\nexit 1\n')
    (tmp_path / "aws").chmod(0o755)
    done = subprocess.run(
        [HOOKS / "publish-s3", "--bucket", "certificates"], check=False,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", **store.event},
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=PATIENCE)
    assert f"HOME={pwd.getpwuid(0).pw_dir}\n" in done.stdout
    assert done.returncode == 1


def test_same_second():
    """Two certificates in one second have prefixes of their own."""
    path = str(HOOKS / "publish-s3")
    loader = importlib.machinery.SourceFileLoader("publish_s3", path)
    spec = importlib.util.spec_from_loader("publish_s3", loader)
    script = importlib.util.module_from_spec(spec)
    script.__dict__["__cached__"] = None
    exec(compile(pathlib.Path(path).read_text(), path, "exec"),
         script.__dict__)
    now = datetime.datetime(2026, 11, 28, 5, 0, 59,
                            tzinfo=datetime.timezone.utc)
    assert script.free_stamp({}, now) == "2026-11-28T05:00:59Z"
    assert script.free_stamp({"2026-11-28T05:00:59Z",
                              "2026-11-28T05:01:00Z"}, now) \
        == "2026-11-28T05:01:01Z"
    # One that was removed leaves a gap, which is older than the newest.
    assert script.free_stamp({"2026-11-28T05:01:07Z"}, now) \
        == "2026-11-28T05:01:08Z"
    assert script.free_stamp({"9999-12-31T23:59:59Z"}, now) \
        == "2026-11-28T05:00:59Z"


# As administrators write it: the pointer, jq, and a copy of each file.
READER = """\
while ! [ -e stop ]; do
    aws s3 cp --only-show-errors "s3://$BUCKET/example.com.json" pointer.json || continue
    for part in cert privkey; do
        aws s3 cp --only-show-errors "s3://$BUCKET/$(jq -r .cert.$part pointer.json)" \\
            $part.pem || continue 2
    done
    key=$(openssl pkey -in privkey.pem -pubout)
    cert=$(openssl x509 -in cert.pem -noout -pubkey)
    if [ "$key" = "$cert" ]; then
        jq -r .serial pointer.json >>good
    else
        echo mismatch >>bad
    fi
    sleep 0.2
done
"""

PUBLICATIONS = 50


def test_reader(bucket, store, tmp_path):
    """One that polls never gets a key and a certificate that do not match."""
    (tmp_path / "good").touch()
    store.install()
    publish(bucket, store)
    reader = Process(
        ["/bin/sh", "-c", READER], tmp_path / "log", cwd=tmp_path,
        env={**bucket.quick, "BUCKET": bucket.name,
             "AWS_ENDPOINT_URL": bucket.gateway.endpoint})
    try:
        for _ in range(PUBLICATIONS):
            store.install()
            publish(bucket, store)
        serial = json.loads(bucket.read("example.com.json"))["serial"]
        wait_until(lambda: serial in (tmp_path / "good").read_text(),
                   "the reader has the last one")
        (tmp_path / "stop").touch()
        wait_until(lambda: not reader.running(), "the reader has ended")
    finally:
        reader.end()
    assert not (tmp_path / "bad").exists()
    assert len(set((tmp_path / "good").read_text().split())) > 3
    assert len(bucket.keys()) == 5 * 4 + 1
