"""What the tests of publish-s3 and fetch-s3 share: a bucket, and certificates."""

import contextlib
import datetime
import fcntl
import json
import pathlib
import subprocess
import uuid

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lib.process import end_group
from lib.radosgw import KEY_ID, SECRET, Radosgw
from lib.wait import PATIENCE
from quick_s3 import Client

HOOKS = pathlib.Path(__file__).resolve().parents[2] / "conf" / "hooks"

PEM = serialization.Encoding.PEM


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    """One for all processes of pytest: it takes ten seconds to start."""
    folder = tmp_path_factory.getbasetemp()
    if folder.name.startswith("popen-"):
        folder = folder.parent
    state = folder / "radosgw.json"
    with _locked(state):
        shared = json.loads(state.read_text()) if state.exists() else {}
        if not shared.get("users"):
            shared = _start(folder / f"radosgw-{uuid.uuid4().hex[:8]}")
        shared["users"] += 1
        state.write_text(json.dumps(shared))
    yield Radosgw.at(pathlib.Path(shared["folder"]), shared["port"])
    with _locked(state):
        shared = json.loads(state.read_text())
        shared["users"] -= 1
        state.write_text(json.dumps(shared))
        if not shared["users"]:
            for pid in reversed(shared["pids"]):
                end_group(pid)


def _start(folder):
    started = Radosgw(folder)
    try:
        started.start()
    except BaseException:
        started.end()
        raise
    return {"users": 0, "folder": str(folder), "port": started.port,
            "pids": [one.pid for one in started.processes]}


@contextlib.contextmanager
def _locked(path):
    with open(f"{path}.lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def bucket(gateway, tmp_path):
    return Bucket(gateway, tmp_path)


class Bucket:
    """A bucket of this test's own, and who may use it.

    quick: the environment in which aws is quick_s3.
    """

    def __init__(self, gateway, folder):
        self.gateway = gateway
        self.client = Client(gateway.endpoint, KEY_ID, SECRET)
        self.name = f"test-{uuid.uuid4().hex[:12]}"
        self.client.make(self.name)
        (folder / "quick").mkdir()
        (folder / "quick/aws").symlink_to(
            pathlib.Path(__file__).with_name("quick_s3.py"))
        self.quick = {**gateway.plain,
                      "PATH": f"{folder}/quick:{gateway.plain['PATH']}"}

    def keys(self):
        return self.client.keys(self.name)

    def read(self, key):
        return self.client.get(self.name, key).decode()

    def write(self, key, text):
        self.client.put(self.name, key, text.encode())

    def run(self, script, *options, environment=None, endpoint=None, **more):
        """A script as httpd's launcher or a timer runs it; what it printed.

        Its aws is the quick one, unless environment says otherwise.
        """
        done = subprocess.run(
            [HOOKS / script, "--endpoint-url",
             endpoint or self.gateway.endpoint, "--bucket", self.name,
             *map(str, options)],
            env={**(environment or self.quick), **more},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False,
            timeout=5 * PATIENCE)
        assert SECRET not in done.stdout and "PRIVATE" not in done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        return done.returncode, done.stdout

    def succeeds(self, script, *options, **how):
        code, said = self.run(script, *options, **how)
        assert code == 0, said
        return said

    def fails(self, script, *options, code=1, **how):
        got, said = self.run(script, *options, **how)
        assert got == code, said
        return said


class Issuer:
    """A root and one below it; their certificates are of now."""

    def __init__(self):
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.root = _sign("root", None, self.root_key, self.root_key, "root")
        self.certificate = _sign("below", None, self.key, self.root_key,
                                 "root")

    def issue(self, names, by_root=False, **how):
        """privkey, cert, chain, fullchain: as the files have them.

        by_root: the root signs itself, so there is no chain.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        signer = (self.root_key, "root") if by_root else (self.key, "below")
        cert = pem_of(_sign(names[0], names, key, *signer, **how))
        chain = "" if by_root else pem_of(self.certificate)
        return {"privkey": key.private_bytes(
                    PEM, serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption()).decode(),
                "cert": cert, "chain": chain, "fullchain": cert + chain}


def pem_of(certificate):
    return certificate.public_bytes(PEM).decode()


def _sign(subject, names, key, issuer_key, issuer, begin=-3600, end=86400):
    def name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.datetime.utcnow().replace(microsecond=0)
    builder = (
        x509.CertificateBuilder().subject_name(name(subject))
        .issuer_name(name(issuer)).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(seconds=begin))
        .not_valid_after(now + datetime.timedelta(seconds=end))
        .add_extension(x509.BasicConstraints(not names, None), True))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(
            [x509.DNSName(name) for name in names]), False)
    return builder.sign(issuer_key, hashes.SHA256())


class Store:
    """archive/<id>/<n> and the link live/<id>, as the keeper writes them."""

    def __init__(self, folder, name="example.com"):
        self.folder = folder
        self.name = name
        self.issuer = Issuer()
        self.names = [name, f"www.{name}"]
        self.live = folder / "live" / name
        self.live.parent.mkdir(parents=True)

    def install(self, kinds=("",), **how):
        """A new generation; its files by name."""
        archive = self.folder / "archive" / self.name
        archive.mkdir(parents=True, exist_ok=True)
        number = len(list(archive.iterdir())) + 1
        files = {}
        for kind in kinds:
            for part, text in self.issuer.issue(self.names, **how).items():
                files[f"{part}{kind}.pem"] = text
        (archive / f"{number}").mkdir()
        for name, text in files.items():
            (archive / f"{number}" / name).write_text(text)
        (archive / f"{number}" / "meta.json").write_text("{}")
        link = self.live.with_name(".new")
        link.symlink_to(archive / f"{number}")
        link.rename(self.live)
        return files

    @property
    def event(self):
        """The variables of AcmeHook deploy."""
        return {"ACME_EVENT": "deploy", "ACME_ID": self.name,
                "ACME_NAMES": " ".join(self.names),
                "RENEWED_DOMAINS": " ".join(self.names),
                "ACME_LIVE": str(self.live),
                "RENEWED_LINEAGE": str(self.live)}
