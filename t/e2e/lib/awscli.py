"""Debian's aws, loaded once: a command in half a tenth of its time.

aws needs more than a second to load, and a publication is five calls of it.
One process loads it, and forks for each call; the command named aws in its
folder passes the call on: arguments, environment, folder and descriptors.
What runs is the same code as that of /usr/bin/aws.
"""

import array
import importlib
import json
import os
import pathlib
import socket
import sys

if __name__ != "__main__":
    from lib.process import Process
    from lib.wait import wait_until

PYTHON = "/usr/bin/python3"         # which has awscli

CLIENT = """\
#!/usr/bin/python3 -SEs
import array, json, os, socket, sys
to = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
to.connect({socket!r})
call = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
to.sendmsg([len(call).to_bytes(4, "big")], [
    (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
to.sendall(call)
code = to.recv(1)
sys.exit(code[0] if code else 255)
"""


class ResidentAws:
    """bin is a folder for the front of PATH."""

    def __init__(self, folder):
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.socket = folder / "socket"
        self.log = folder / "log"
        client = self.bin / "aws"
        client.write_text(CLIENT.format(socket=str(self.socket)))
        client.chmod(0o755)
        self.process = None

    def start(self):
        self.process = Process([PYTHON, __file__, self.socket], self.log)
        wait_until(self._listens, "aws is loaded")
        return self

    def end(self):
        self.process.end()

    def _listens(self):
        assert self.process.running(), self.log.read_text()
        return self.socket.exists()


# The process

def serve(path):
    from awscli.botocore import loaders     # pylint: disable=C0415

    load = loaders.JSONFileLoader.load_file
    loaded = {}

    def load_once(self, file_path):
        if file_path not in loaded:
            loaded[file_path] = load(self, file_path)
        return loaded[file_path]

    loaders.JSONFileLoader.load_file = load_once

    # A call that fails loads what all calls need: this process loads the same,
    # but starts nothing (awscrt has threads, which a fork would not have).
    reader, writer = os.pipe()
    if os.fork() == 0:
        run(["s3", "ls", "s3://none", "--endpoint-url",
             "http://127.0.0.1:1"],
            {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none",
             "AWS_MAX_ATTEMPTS": "1", "PATH": "/usr/bin", "HOME": "/none"},
            "/")
        with open(writer, "w", encoding="utf-8") as file:
            json.dump([sorted(sys.modules), sorted(loaded)], file)
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as file:
        modules, files = json.load(file)
    for module in modules:
        if module.startswith(("awscli.", "urllib3.", "s3transfer.")):
            importlib.import_module(module)
    for file in files:
        load_once(loaders.JSONFileLoader(), file)

    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    name = pathlib.Path(path)
    listening.bind(str(name) + ".new")
    listening.listen(64)
    os.rename(str(name) + ".new", path)
    while True:
        call, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            # A grandchild, which nobody needs to wait for.
            if os.fork() == 0:
                answer(call)
            os._exit(0)
        call.close()
        os.wait()


def answer(call):
    """Never returns."""
    code = 255
    try:
        size, extra, _, _ = call.recvmsg(4, socket.CMSG_SPACE(12))
        fds = array.array("i")
        fds.frombytes(extra[0][2])
        for at, fd in enumerate(fds):
            os.dup2(fd, at)
            os.close(fd)
        text = b""
        while len(text) < int.from_bytes(size, "big"):
            text += call.recv(1 << 20)
        code = run(*json.loads(text))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        call.sendall(bytes([code & 255]))
        os._exit(0)


def run(arguments, environment, folder):
    from awscli.clidriver import main   # pylint: disable=C0415

    own = os.environ["AWS_DATA_PATH"]   # which loading awscli has set
    os.environ.clear()
    os.environ.update(environment, AWS_DATA_PATH=own)
    os.chdir(folder)
    sys.argv = ["aws", *arguments]
    try:
        return main()
    except SystemExit as ended:
        return ended.code or 0


if __name__ == "__main__":
    # The folder of this file would hide modules of that name.
    sys.path.pop(0)
    serve(sys.argv[1])
