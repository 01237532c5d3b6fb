"""A log that grows while it is read again and again."""

import functools
import re


class Log:
    """Only what is new in the file is read, and searched."""

    def __init__(self, path):
        self.path = path
        self._forget()

    def _forget(self):
        self._octets = 0            # of the file that were read
        self._rest = b""            # of them, after the last whole line
        self._lines = []
        self._found = {}            # regex: (lines searched, their matches)

    def _read(self):
        try:
            with open(self.path, "rb") as file:
                if file.seek(0, 2) < self._octets:      # it began anew
                    self._forget()
                file.seek(self._octets)
                new = file.read()
        except FileNotFoundError:
            self._forget()
            return
        if new:
            self._octets += len(new)
            *lines, self._rest = (self._rest + new).split(b"\n")
            self._lines += [line.decode(errors="replace") for line in lines]

    @property
    def text(self):
        self._read()
        return "\n".join([*self._lines, self._rest.decode(errors="replace")])

    def matching(self, regex):
        """All matches, one a line that is complete at most."""
        self._read()
        searched, matches = self._found.get(regex, (0, []))
        for line in self._lines[searched:]:
            match = compiled(regex).search(line)
            if match:
                matches.append(match)
        self._found[regex] = len(self._lines), matches
        return list(matches)


@functools.cache
def compiled(regex):
    return re.compile(regex)
