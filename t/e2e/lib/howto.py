"""The pages of docs/howto, carried out block by block as they stand."""

import os
import re
import shlex
import shutil
import subprocess

from lib.httpd import BUILD, REPOSITORY
from lib.wait import PATIENCE, wait_until

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)

# Variables of the process environment that httpd needs, and no other tool.
SANITIZERS = ("LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS")


class Howto:
    """
    A page, and a reader with the commands of the machine of a server.

    places: parts of the page, and what stands for them here.
    """

    def __init__(self, page, server, places):
        text = (REPOSITORY / "docs" / "howto" / page).read_text()
        for part, here in places.items():
            assert part in text, f"{page} has no {part}"
            text = text.replace(part, os.fspath(here))
        self.server = server
        self.blocks = BLOCK.findall(text)
        self.tools = self._make_tools()
        self.environment = {"PATH": f"{self.tools}:{os.environ['PATH']}",
                            "CURL_CA_BUNDLE": server.root / "roots.pem"}
        if server.ca:
            (server.root / "roots.pem").write_text(server.ca.roots)

    def _make_tools(self):
        """httpd and acmectl, as the administrator calls them."""
        folder = self.server.root / "bin"
        folder.mkdir(exist_ok=True)
        # A copy: other users call it too, who cannot enter root's home.
        program = shutil.copy(BUILD / "mod_acme" / "ctl" / "acmectl",
                              folder / "acmectl.program")
        acmectl = [program, "--state-dir", self.server.store]
        env = self.server.process_environment
        httpd = ["env", *(f"{name}={env[name]}" for name in SANITIZERS
                          if name in env), *self.server.command()]
        for name, command in ("acmectl", acmectl), ("httpd", httpd):
            path = folder / name
            path.write_text(f"#!/bin/sh\nexec {shlex.join(map(str, command))}"
                            ' "$@"\n')
            path.chmod(0o755)
        return folder

    def take(self, language):
        """The next block, which is of this language."""
        assert self.blocks, f"the page has no further block ({language})"
        found, text = self.blocks.pop(0)
        assert found == language, f"the next block is another:\n{text}"
        return text

    def configure(self, part="howto"):
        """The next block, into the configuration."""
        self.server.part(part, self.take("apache"))

    def write_file(self, language, folder):
        """The next block, into the file that its first lines name."""
        text = self.take(language)
        name = re.search(r"^# (/\S+)$", text, re.M)[1]
        path = folder / os.path.basename(name)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o600)
        return path

    def run(self):
        """The commands of the next block; it says what each prints."""
        for part in re.split(r"^# ", self.take(""), flags=re.M)[1:]:
            command, _, wanted = part.partition("\n")
            loads = self.server.loads
            done = subprocess.run(
                ["sh", "-c", command], env={**os.environ, **self.environment},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=PATIENCE, check=False)
            said = done.stdout.replace("\r\n", "\n")
            assert done.returncode == 0, f"{command}: {said}"
            if wanted:
                assert re.fullmatch(pattern(wanted), said), \
                    f"{command} should print\n{wanted}, but printed\n{said}"
            if command.endswith("graceful"):
                wait_until(lambda: self.server.loads > loads, command)

    def end(self):
        assert not self.blocks, f"not carried out: {self.blocks}"


def pattern(wanted):
    """... is any text of a line; on a line of its own, any lines."""
    return "".join(
        "(?:.*\n)*" if line == "..." else
        re.escape(line).replace(r"\.\.\.", ".*") + "\n"
        for line in wanted.splitlines())
