"""What the tests of the AWS hooks share: calls as httpd makes."""

import os
import pathlib
import pwd
import subprocess

from lib.moto import PATH
from lib.ports import free_port
from lib.wait import PATIENCE

HOOKS = pathlib.Path(__file__).resolve().parents[2] / "conf" / "hooks"


class Hook:
    """A script of conf/hooks with the options of the cloud."""

    def __init__(self, name, cloud, *options):
        self.name = name
        self.cloud = cloud
        self.options = options

    def begin(self, *arguments, environment=None, endpoint=None, given="",
              **variables):
        """given: its standard input."""
        process = subprocess.Popen(
            ["/usr/bin/python3", HOOKS / self.name, "--endpoint-url",
             endpoint or self.cloud.endpoint,
             *map(str, (*self.options, *arguments))],
            env={**(environment or self.cloud.environment), **variables},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        process.stdin.write(given)      # less than a pipe holds
        process.stdin.close()
        process.stdin = None
        return process

    def finish(self, process):
        """Its exit code and what it printed: no secret, whatever happens."""
        said, _ = process.communicate(timeout=5 * PATIENCE)
        assert self.cloud.secret not in said
        assert "Traceback" not in said, said
        return process.returncode, said

    def __call__(self, *arguments, **how):
        return self.finish(self.begin(*arguments, **how))

    def succeeds(self, *arguments, **how):
        code, said = self(*arguments, **how)
        assert code == 0, said
        return said

    def fails(self, *arguments, code=1, **how):
        """What it said: one line that begins with its name."""
        got, said = self(*arguments, **how)
        assert got == code, said
        if code == 1:
            assert said.startswith(f"{self.name}: ") and said.count("\n") == 1
        return said


def check_troubles(hook, *arguments, **variables):
    """A wrong secret, a dead endpoint: what is wrong and what to do."""
    cloud = hook.cloud
    wrong = cloud.home(f"wrong-{hook.name}", cloud.key_id, cloud.secret[::-1])
    said = hook.fails(*arguments, environment=wrong, **variables)
    assert f"{wrong['HOME']}/.aws/credentials" in said, said
    said = hook.fails(*arguments, endpoint=f"http://127.0.0.1:{free_port()}",
                      **variables)
    assert "--endpoint-url correct" in said, said


def check_environment(hook, *arguments):
    """No permission, no credentials, no aws."""
    cloud = hook.cloud
    nobody = cloud.user(f"nobody-{hook.name}", "sqs:ListQueues")
    said = hook.fails(*arguments, environment=nobody)
    assert "policy of these credentials" in said, said
    # As httpd runs a hook: no HOME, and Debian's aws itself.
    said = hook.fails(*arguments, environment={
        "PATH": PATH, "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1"})
    home = pwd.getpwuid(os.geteuid()).pw_dir
    assert f"{home}/.aws/credentials" in said, said
    said = hook.fails(*arguments, code=2, PATH="/nonexistent")
    assert "install the package awscli" in said, said
