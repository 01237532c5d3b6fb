"""The scripts of conf/hooks, run as the launcher runs them: few variables."""

import os
import pathlib
import subprocess

from lib.wait import PATIENCE

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "conf" / "hooks"

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                       "/sbin:/bin",
               "LANG": "C", "LC_ALL": "C"}


class Ended:
    """How a command ended: its status, and all that it said."""

    def __init__(self, code, text):
        self.code = code
        self.text = text

    def __repr__(self):
        return f"exit status {self.code}: {self.text}"


def run_hook(name, *arguments, env=None, stdin=b"", folder=FOLDER):
    """An Ended; env is added to the environment, and removed where None."""
    env = {**ENVIRONMENT, **(env or {})}
    done = subprocess.run(
        [os.fspath(folder / name), *map(os.fspath, arguments)],
        env={key: value for key, value in env.items() if value is not None},
        input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=3 * PATIENCE, check=False)
    return Ended(done.returncode, done.stdout.decode("utf-8", "replace"))


def event(name, detail="", **more):
    """The variables of an event of www.example.org."""
    return {"ACME_EVENT": name, "ACME_ID": "www.example.org",
            "ACME_NAMES": "www.example.org example.org",
            "ACME_NOT_AFTER": "2099-01-02T03:04:05Z", "ACME_PROBLEM": "",
            "ACME_DETAIL": detail, **more}
