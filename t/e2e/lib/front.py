"""Another TLS server at an address that httpd listens on as well."""

import socket
import ssl
import threading


class Front:
    """
    Bound to one address of a port that httpd has for all addresses, so that
    the kernel gives it that address's visitors (SO_REUSEPORT: httpd needs
    ListenCoresBucketsRatio). chain and key are files in PEM; without them it
    closes each connection without TLS.
    """

    def __init__(self, address, port, chain=None, key=None):
        self.context = None
        if chain:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(chain, key)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.socket.bind((address, port))
        self.visitors = 0
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def start(self):
        self.socket.listen()
        self.thread.start()
        return self

    def _serve(self):
        while True:
            try:
                visitor, _ = self.socket.accept()
            except OSError:
                return                      # end() was called
            self.visitors += 1
            try:
                with visitor:
                    visitor.settimeout(10)
                    if self.context:
                        with self.context.wrap_socket(
                                visitor, server_side=True) as tls:
                            tls.recv(1)
            except OSError:
                pass

    def end(self):
        if self.thread.is_alive():
            self.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()
            self.thread.join()
