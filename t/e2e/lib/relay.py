"""A gate on the way from the CA's validators to httpd's port 80.

While it is shut, connections are accepted and wait: the CA is validating.
"""

import socket
import threading

from lib.ports import free_port
from lib.wait import wait_until


class Relay:
    """Listens at port, passes on to target."""

    def __init__(self, target):
        self.port = free_port()
        self.target = target
        self.waiting = 0
        self._counting = threading.Lock()
        self.refusing = False       # break every connection
        self._gate = threading.Event()
        self._gate.set()
        self._listener = socket.create_server(("127.0.0.1", self.port))

    def start(self):
        serve(self._listener, self._pass)
        return self

    def end(self):
        self._gate.set()
        self._listener.close()

    def shut(self):
        self._gate.clear()

    def open(self):
        self._gate.set()

    def wait_waiting(self):
        wait_until(lambda: self.waiting, "the CA validates")

    def _pass(self, client):
        with self._counting:
            self.waiting += 1
        self._gate.wait()
        with self._counting:
            self.waiting -= 1
        if self.refusing:
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 5)
        except OSError:
            client.close()
            return
        threading.Thread(target=copy, args=(client, server),
                         daemon=True).start()
        copy(server, client)


def serve(listener, visit):
    """Call visit(connection) for each, in a thread, until it is closed."""
    def accept():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=visit, args=(client,),
                             daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for sock in (source, sink):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        sock.close()
