"""nginx on port 80, as the CA sees it: httpd is behind it, or elsewhere."""

import textwrap

from lib.ports import accepts, free_port
from lib.process import Process
from lib.wait import wait_until


class Nginx:
    """Serves what is below root, and nothing else; its workers are www-data."""

    def __init__(self, folder):
        self.folder = folder / "nginx"
        self.folder.mkdir()
        self.root = self.folder / "html"
        self.root.mkdir()
        self.log = self.folder / "log"
        self.port = free_port()
        self.server = None

    @property
    def tokens(self):
        """The files that the CA may ask for."""
        return sorted((self.root / ".well-known/acme-challenge").glob("*"))

    def start(self):
        (self.folder / "nginx.conf").write_text(textwrap.dedent(f"""\
            daemon off;
            user www-data;
            pid {self.folder}/pid;
            error_log {self.log};
            events {{}}
            http {{
                access_log {self.folder}/access;
                client_body_temp_path {self.folder}/body;
                proxy_temp_path {self.folder}/proxy;
                fastcgi_temp_path {self.folder}/fastcgi;
                uwsgi_temp_path {self.folder}/uwsgi;
                scgi_temp_path {self.folder}/scgi;
                server {{
                    listen 127.0.0.1:{self.port};
                    root {self.root};
                }}
            }}
            """))
        self.server = Process(
            ["/usr/sbin/nginx", "-p", self.folder,
             "-c", self.folder / "nginx.conf"], self.log)
        wait_until(lambda: accepts(self.port), "nginx listens")
        return self

    def end(self):
        if self.server:
            self.server.end()
