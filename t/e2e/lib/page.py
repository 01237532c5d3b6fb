"""The status page, as a reader and a browser see it."""

import html.parser
import re
import shutil
import subprocess
import zlib

from lib.wait import PATIENCE


class Page(html.parser.HTMLParser):
    """What is in it: text, and each tag with its attributes."""

    def __init__(self, body):
        super().__init__()
        self.tags = []
        self.text = ""
        self._hidden = 0
        self.feed(body)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._hidden += tag == "style"
        self.text += " "

    def handle_endtag(self, tag):
        self._hidden -= tag == "style"
        self.text += " "

    def handle_data(self, data):
        if not self._hidden:
            self.text += data

    def all(self, tag):
        """The attributes of each of these tags."""
        return [attributes for name, attributes in self.tags if name == tag]

    def faults(self):
        """What no page may have, or lacks."""
        found = []
        ids = [attributes["id"] for _, attributes in self.tags
               if "id" in attributes]
        if len(ids) != len(set(ids)):
            found.append(f"an id twice: {ids}")
        for tag in ("h1", "main", "header", "footer", "title"):
            if len(self.all(tag)) != 1:
                found.append(f"{len(self.all(tag))} times <{tag}>")
        if len(self.all("table")) != len(self.all("caption")):
            found.append("a table without a caption")
        for tag, attributes in self.tags:
            if tag in ("script", "img", "iframe", "object", "base"):
                found.append(f"<{tag}>")
            for name, value in attributes.items():
                if name == "style" or name.startswith("on"):
                    found.append(f"<{tag} {name}>")
                if name in ("href", "src", "action") and not re.match(
                        r"[?#]|data:image/svg", value):
                    found.append(f"<{tag} {name}={value}>")
            if tag == "th" and "scope" not in attributes:
                found.append("<th> without a scope")
            if attributes.get("role") == "img" and \
                    not attributes.get("aria-label"):
                found.append("an image without a text")
        return found


def browser():
    """The program, or None."""
    return shutil.which("chromium")


def browse(url, folder, width=1280, dark=False, picture=None):
    """What chromium makes of it: its tree as text, and what it complains of.

    picture: a PNG file to write.
    """
    command = [browser(), "--headless=new", "--no-sandbox", "--disable-gpu",
               "--hide-scrollbars", "--no-first-run",
               "--disable-extensions", "--disable-background-networking",
               "--enable-logging=stderr", f"--user-data-dir={folder}/chromium",
               f"--blink-settings=preferredColorScheme={0 if dark else 1}",
               f"--window-size={width},900",
               f"--screenshot={picture}" if picture else "--dump-dom", url]
    done = subprocess.run(command, check=True, timeout=PATIENCE, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.stdout, [line for line in done.stderr.split("\n")
                         if "CONSOLE" in line]


def first_pixel(png):
    """Its size, and the colour of its left upper corner."""
    data = png.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and data[24] == 8
    pixels, at = b"", 8
    while at < len(data):
        length = int.from_bytes(data[at:at + 4], "big")
        if data[at + 4:at + 8] == b"IDAT":
            pixels += data[at + 8:at + 8 + length]
        at += length + 12
    size = tuple(int.from_bytes(data[i:i + 4], "big") for i in (16, 20))
    return size, tuple(zlib.decompress(pixels)[1:4])
