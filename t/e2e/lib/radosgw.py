"""An S3 that is nobody's imitation: Ceph's radosgw, on a store in memory.

A monitor, one OSD and the gateway, all on loopback and without cephx between
them. The gateway verifies signatures (version 4) and the hash of each body.
About ten seconds to start: a test that can do with moto uses that.
"""

import pathlib
import subprocess
import textwrap
import urllib.error
import urllib.request
import uuid

from lib.ports import free_port
from lib.process import Process
from lib.wait import wait_until

AWS_SERVER = pathlib.Path(__file__).with_name("aws_server.py")
PATH = "/usr/bin:/bin"          # Debian's aws, not one of a developer's

KEY_ID = "TESTKEYOFTHEADMIN000"
SECRET = "a-secret-that-no-output-may-have-0000000"


class Radosgw:
    """
    environment: PATH and HOME, in which .aws/credentials is the user's, and
    no variable with a secret. The first aws of that PATH is a fork of one
    that is loaded already; plain is the same with Debian's only.
    """

    def __init__(self, folder, port=None):
        self.folder = folder
        self.port = port or free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.environment = self._environment("home")
        self.plain = {**self.environment, "PATH": PATH}
        self.processes = []

    @classmethod
    def at(cls, folder, port):
        """One that another process has started, and ends."""
        return cls(folder, port)

    def start(self):
        self.folder.mkdir(parents=True)
        fsid, port = str(uuid.uuid4()), free_port()
        self._write_config(fsid, port)
        self.home("home", KEY_ID, SECRET)
        self._start_monitor(fsid, port)
        self._start_osd()
        self._run(["/usr/bin/radosgw-admin", "-c", self.config, "user",
                   "create", "--uid=admin", "--display-name=admin",
                   f"--access-key={KEY_ID}", f"--secret-key={SECRET}"])
        self._daemon(["/usr/bin/radosgw", "-n", "client.rgw"])
        self.processes.append(Process(
            ["/usr/bin/python3", "-P", AWS_SERVER, self.folder],
            self.folder / "aws.out", env={"PATH": PATH, "LANG": "C.UTF-8"}))
        wait_until(self._answers, "the gateway answers, and aws is loaded")
        return self

    def end(self):
        while self.processes:
            self.processes.pop().end()

    def home(self, name, key_id, secret):
        """The environment of somebody with these credentials."""
        folder = self.folder / name / ".aws"
        folder.mkdir(0o700, parents=True)
        (folder / "credentials").write_text(
            f"[default]\naws_access_key_id = {key_id}\n"
            f"aws_secret_access_key = {secret}\n")
        (folder / "config").write_text("[default]\nregion = us-east-1\n")
        return self._environment(name)

    def _environment(self, name):
        return {"PATH": f"{self.folder}:{PATH}", "LANG": "C.UTF-8",
                "HOME": str(self.folder / name),
                "AWS_EC2_METADATA_DISABLED": "true"}

    def aws(self, *arguments, check=True):
        """What aws prints; for what a test does itself."""
        done = subprocess.run(
            [self.folder / "aws", "--endpoint-url", self.endpoint, *arguments],
            env=self.environment, check=False, text=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    # Its parts

    def _start_monitor(self, fsid, port):
        self._run(["/usr/bin/monmaptool", "--create", "--fsid", fsid,
                   "--addv", "a", f"[v2:127.0.0.1:{port}/0]", "monmap"])
        self._run(["/usr/bin/ceph-mon", "-c", self.config, "-i", "a",
                   "--mkfs", "--monmap", "monmap"])
        self._daemon(["/usr/bin/ceph-mon", "-i", "a"])

    def _start_osd(self):
        osd = str(uuid.uuid4())
        self._run(["/usr/bin/ceph", "-c", self.config, "osd", "new", osd])
        self._run(["/usr/bin/ceph-osd", "-c", self.config, "-i", "0",
                   "--mkfs", "--osd-uuid", osd])
        self._daemon(["/usr/bin/ceph-osd", "-i", "0"])

    def _daemon(self, argv):
        name = argv[0].rpartition("/")[2]
        self.processes.append(Process(
            [*argv, "-c", self.config, "-f"], self.folder / f"{name}.out",
            cwd=self.folder))

    def _run(self, argv):
        done = subprocess.run(argv, check=False, text=True, timeout=120,
                              cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        assert done.returncode == 0, f"{argv}: {done.stdout}"
        return done.stdout

    def _answers(self):
        assert all(one.running() for one in self.processes), \
            "\n".join(one.log.read_text() for one in self.processes)
        try:
            urllib.request.urlopen(self.endpoint, timeout=5).close()
        except urllib.error.HTTPError:
            pass
        except OSError:
            return False
        return (self.folder / "aws").exists()

    @property
    def config(self):
        return self.folder / "ceph.conf"

    def _write_config(self, fsid, monitor_port):
        for name in ("mon", "osd", "run"):
            (self.folder / name).mkdir(0o700)
        self.config.write_text(textwrap.dedent(f"""\
            [global]
            fsid = {fsid}
            mon host = [v2:127.0.0.1:{monitor_port}/0]
            public network = 127.0.0.0/8
            auth cluster required = none
            auth service required = none
            auth client required = none
            run dir = {self.folder}/run
            pid file =
            admin socket =
            log file = {self.folder}/$name.log
            crash dir = {self.folder}/run
            ms bind ipv6 = false
            ms bind msgr1 = false
            ms cluster mode = crc
            ms service mode = crc
            ms client mode = crc
            ms mon client mode = crc
            ms mon service mode = crc
            ms mon cluster mode = crc
            osd pool default size = 1
            osd pool default min size = 1
            osd pool default pg num = 1
            osd pool default pgp num = 1
            osd pool default pg autoscale mode = off
            osd crush chooseleaf type = 0
            mon max pg per osd = 1000
            mon allow pool size one = true

            [mon]
            mon data = {self.folder}/mon
            mon data avail crit = 1
            mon osd initial require min compat client = luminous

            [osd]
            osd data = {self.folder}/osd
            osd objectstore = memstore
            memstore device bytes = 200000000
            osd scrub begin hour = 0
            osd max backfills = 1

            [client.rgw]
            rgw data = {self.folder}/run
            rgw frontends = beast endpoint=127.0.0.1:{self.port}
            rgw thread pool size = 8
            rgw enable usage log = false
            rgw enable gc threads = false
            rgw enable lc threads = false
            rgw enable quota threads = false
            rgw run sync thread = false
            rgw bucket index max aio = 8
            rgw rados pool pg num min = 1
            """))
