"""nginx on port 80, as the CA sees it, configured as docs/howto says."""

import re
import textwrap

from lib.httpd import REPOSITORY
from lib.ports import accepts, free_port
from lib.process import Process
from lib.wait import wait_until


HOWTO = REPOSITORY / "docs" / "howto" / "nginx-in-front.md"


class Nginx:
    """Serves tokens that are below root; its workers are www-data."""

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

    def howto(self, language):
        """The blocks of the page in this language, for this nginx."""
        blocks = re.findall(rf"^```{language}\n(.*?)^```$", HOWTO.read_text(),
                            re.M | re.S)
        return [block.replace("/var/www/html", str(self.root))
                for block in blocks]

    def start(self):
        server, = self.howto("nginx")
        assert "listen 80;" in server
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
            """) + server.replace("listen 80;",
                                  f"listen 127.0.0.1:{self.port};") + "}\n")
        self.server = Process(
            ["/usr/sbin/nginx", "-p", self.folder,
             "-c", self.folder / "nginx.conf"], self.log)
        wait_until(lambda: accepts(self.port), "nginx listens")
        return self

    def end(self):
        if self.server:
            self.server.end()
