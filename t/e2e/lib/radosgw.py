"""An S3 that is nobody's imitation: Ceph's radosgw, on a store in memory.

A monitor, one OSD and the gateway, all on loopback and without cephx between
them. The gateway verifies signatures (version 4) and the hash of each body.
About ten seconds to start: a test that can do with moto uses that.
"""

import json
import os
import subprocess
import textwrap
import urllib.error
import urllib.request
import uuid

from lib.ports import free_port
from lib.process import Process
from lib.wait import wait_until

KEY_ID = "TESTKEYOFTHEADMIN000"
SECRET = "a-secret-that-no-output-may-have-0000000"


class Radosgw:
    """start() and end(); endpoint, environment and aws() as those of Moto."""

    def __init__(self, folder):
        self.folder = folder
        self.id = str(uuid.uuid4())
        self.monitor_port = free_port()
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.home = folder / "home"
        self.processes = []
        self._write_config()

    @property
    def environment(self):
        """The launcher's, and a home folder with the credentials."""
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.home)}

    def start(self):
        self._start_monitor()
        self._start_osd()
        self._run(["/usr/bin/radosgw-admin", "-c", self.config, "user",
                   "create", "--uid=admin", "--display-name=admin",
                   f"--access-key={KEY_ID}", f"--secret-key={SECRET}"])
        self._daemon(["/usr/bin/radosgw", "-n", "client.rgw"])
        wait_until(self._answers, "the gateway answers")
        return self

    def end(self):
        while self.processes:
            self.processes.pop().end()

    def aws(self, *arguments, check=True):
        """What aws prints; for what a test does itself."""
        done = subprocess.run(
            ["aws", "--endpoint-url", self.endpoint, *arguments],
            env=self.environment, check=False, text=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    # Its parts

    def _start_monitor(self):
        at = f"[v2:127.0.0.1:{self.monitor_port}/0]"
        self._run(["/usr/bin/monmaptool", "--create", "--fsid", self.id,
                   "--addv", "a", at, "monmap"])
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
            return True
        except OSError:
            return False
        return True

    @property
    def config(self):
        return self.folder / "ceph.conf"

    def _write_config(self):
        for name in ("mon", "osd", "run", "home"):
            (self.folder / name).mkdir(0o700)
        (self.home / ".aws").mkdir(0o700)
        (self.home / ".aws/credentials").write_text(
            f"[default]\naws_access_key_id = {KEY_ID}\n"
            f"aws_secret_access_key = {SECRET}\n")
        (self.home / ".aws/config").write_text(
            "[default]\nregion = us-east-1\n")
        self.config.write_text(textwrap.dedent(f"""\
            [global]
            fsid = {self.id}
            mon host = [v2:127.0.0.1:{self.monitor_port}/0]
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
