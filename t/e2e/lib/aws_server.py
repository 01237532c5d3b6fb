"""aws, loaded once: each call is a fork of this process.

Debian's command line client computes for a second before it does anything.
aws_server.py FOLDER writes FOLDER/aws, which stands for it in PATH: it hands
over its arguments, environment, folder and descriptors, and ends as it ends.
"""

import gc
import json
import os
import pathlib
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


def read_call(connection):
    """Arguments, environment, folder; and descriptors."""
    size, fds, _, _ = socket.recv_fds(connection, 10, 3)
    call = b""
    while len(call) < int(size):
        call += connection.recv(int(size) - len(call))
    return json.loads(call), fds


def share_models(driver):
    """A loader of what describes the services, whose cache all others have."""
    loader = driver.create_clidriver().session.get_component("data_loader")
    init = type(loader).__init__

    def share(self, *args, **kwargs):
        init(self, *args, **kwargs)
        self._cache = loader._cache

    type(loader).__init__ = share
    return loader


def warm(loader, argv):
    """What every fork would do again for the service that argv names."""
    loaded = len(loader._cache)
    for service in loader.list_available_services(
            type_name="service-2"):
        if service in argv and ("load_service_model", service,
                                "service-2") not in loader._cache:
            loader.load_service_model(service, "service-2")
            for kind in ("paginators-1", "waiters-2", "endpoint-rule-set-1"):
                if service in loader.list_available_services(
                        type_name=kind):
                    loader.load_service_model(service, kind)
    for kind in ("endpoints", "partitions", "cli", "metadata"):
        loader.load_data(kind)
    if len(loader._cache) != loaded:
        gc.freeze()             # a fork copies no pages that it only reads


def run(call, fds, driver):
    """In the fork: what the client asked for. Its exit code."""
    argv, environment, folder = call
    for i, fd in enumerate(fds):
        os.dup2(fd, i)
        os.close(fd)
    loaded = os.environ["AWS_DATA_PATH"]        # awscli sets it when loaded
    os.environ.clear()
    os.environ.update(AWS_DATA_PATH=loaded, **environment)
    os.chdir(folder)
    sys.argv = ["aws", *argv]
    return driver.main()


def reap():
    """Forks that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def serve(folder):
    address = str(folder / "socket")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        from awscli import clidriver
        loader = share_models(clidriver)
        warm(loader, [])
        client = folder / "aws.new"
        client.write_text(CLIENT.format(address=address))
        client.chmod(0o755)
        client.rename(folder / "aws")
        while True:
            connection, _ = listening.accept()
            with connection:
                call, fds = read_call(connection)
                warm(loader, call[0])
                if os.fork() == 0:
                    code = 255
                    try:
                        code = run(call, fds, clidriver)
                        sys.stdout.flush()
                        sys.stderr.flush()
                    except BaseException:
                        traceback.print_exc()
                    finally:
                        connection.sendall(bytes([code & 255]))
                        os._exit(code)
                for fd in fds:
                    os.close(fd)
                reap()


if __name__ == "__main__":
    serve(pathlib.Path(sys.argv[1]))
