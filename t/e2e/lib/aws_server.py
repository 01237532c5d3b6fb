"""aws, loaded once: each call is a fork of this process.

Debian's command line client computes for a second before it does anything.
aws_server.py FOLDER writes FOLDER/aws, which stands for it in PATH: it hands
over its arguments, environment, folder and descriptors, and ends as it ends.
"""

import json
import os
import pathlib
import signal
import socket
import sys
import traceback

CLIENT = """#!/usr/bin/python3 -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as s:
    s.connect({address!r})
    call = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
    socket.send_fds(s, [b"%10d" % len(call)], [0, 1, 2])
    s.sendall(call)
    sys.exit((s.recv(1) or b"\\xff")[0])
"""


def run(connection, driver):
    """In the fork: what the client asked for. Its exit code."""
    size, fds, _, _ = socket.recv_fds(connection, 10, 3)
    call = b""
    while len(call) < int(size):
        call += connection.recv(int(size) - len(call))
    argv, environment, folder = json.loads(call)
    for i, fd in enumerate(fds):
        os.dup2(fd, i)
        os.close(fd)
    loaded = os.environ["AWS_DATA_PATH"]        # awscli sets it when loaded
    os.environ.clear()
    os.environ.update(AWS_DATA_PATH=loaded, **environment)
    os.chdir(folder)
    sys.argv = ["aws", *argv]
    return driver.main()


def serve(folder):
    address = str(folder / "socket")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        from awscli import clidriver
        clidriver.create_clidriver()            # loads the rest of it
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        client = folder / "aws.new"
        client.write_text(CLIENT.format(address=address))
        client.chmod(0o755)
        client.rename(folder / "aws")
        while True:
            connection, _ = listening.accept()
            with connection:
                if os.fork() == 0:
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    code = 255
                    try:
                        code = run(connection, clidriver)
                        sys.stdout.flush()
                        sys.stderr.flush()
                    except BaseException:
                        traceback.print_exc()
                    finally:
                        connection.sendall(bytes([code & 255]))
                        os._exit(code)


if __name__ == "__main__":
    serve(pathlib.Path(sys.argv[1]))
