"""
The messages to the keeper as the headers of the tested build have them.

A program is made of the headers, which the compiler lays out: a test never
has a number of its own. Layout.of_build() is cached, as the build is.
"""

import functools
import json
import pathlib
import re
import struct
import subprocess
import tempfile
from dataclasses import dataclass

from lib.httpd import BUILD

FLOORS = "base crypto net protocol store ipc".split()
HEADERS = {"ipc": "acme_message.h acme_state.h".split(),
           "protocol": "acme_challenge.h acme_session.h".split(),
           "base": ["acme_reason.h"]}

PROGRAM = r"""
#include <stdio.h>
#include "acme_message.c"

#define MEMBER(type, member, word) \
    printf("%%s[\"" #type "\", \"" #member "\", \"" word "\", %%zu, %%zu]", \
           n++ ? "," : "", offsetof(type, member), \
           sizeof(((type *)0)->member));
#define KIND(kind, who, req, req_tail, rep, rep_tail) \
    printf("%%s[\"" #kind "\", %%d, \"acme_msg_" #req "_t\", %%zu, %%zu, " \
           "\"acme_msg_" #rep "_t\", %%zu, %%zu]", n++ ? "," : "", who, \
           sizeof(acme_msg_##req##_t), (size_t)(req_tail), \
           sizeof(acme_msg_##rep##_t), (size_t)(rep_tail));
#define VALUE(name) printf(",\"" #name "\": %%lld", (long long)name);

int main(void)
{
    int n = 0;

    printf("{\"kinds\": [");
    ACME_MESSAGES(KIND)
    n = 0;
    printf("], \"members\": [");
%(members)s
    printf("], \"values\": {\"ACME_MESSAGE_VERSION\": %%d",
           ACME_MESSAGE_VERSION);
%(values)s
    printf("}}\n");
    return 0;
}
"""


@dataclass(frozen=True)
class Kind:
    """A row of the table of messages."""
    name: str
    number: int
    who: int
    request: str            # type of the body
    request_size: int
    request_tail: int       # most octets
    reply: str
    reply_size: int
    reply_tail: int


@dataclass(frozen=True)
class Member:
    word: str               # its type
    offset: int
    size: int


def make_variable(name):
    """Of the Makefile of the tested build."""
    text = (BUILD / "Makefile").read_text()
    return re.search(rf"^{name} = ?(.*)$", text, re.M)[1].strip()


def source():
    """The tree that the tested build was made of."""
    return pathlib.Path(make_variable("abs_top_srcdir"))


def compile_c(text_or_path, output, *flags):
    """With the include paths of the tested build."""
    includes = [f"-I{source()}/mod_acme/{floor}" for floor in FLOORS]
    words = " ".join(make_variable(name) for name in
                     ("APR_CFLAGS", "DEPS_CFLAGS", "HTTPD_CPPFLAGS")).split()
    subprocess.run(["gcc", "-w", "-O0", *includes, *words, "-o", str(output),
                    str(text_or_path), *flags], check=True)


def structs(text):
    """(type, [(word, member), ...]) of each struct in a header."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for body, name in re.findall(r"typedef struct \{([^{}]*)\} (\w+);", text):
        members = []
        for line in body.split(";"):
            found = re.fullmatch(r"((?:\w+ )+)\s*(\w+)(?:\[[^\[\]]*\])?",
                                 line.strip())
            if found:
                members.append((found[1].strip(), found[2]))
        yield name, members
    for known, alias in re.findall(r"typedef (\w+_t) (\w+_t);", text):
        yield alias, known


def enumerators(text):
    """Of all enums whose values stand there."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for body in re.findall(r"typedef enum \{([^{}()#]*)\}", text):
        yield from re.findall(r"\bACME_\w+", re.sub(r"=[^,]*", "", body))


class Layout:
    """
    Its kinds by name, and values of the headers: layout["ACME_NOTE_FAILED"].
    """

    def __init__(self, found, aliases):
        self.values = found["values"]
        self.kinds = {row[0]: Kind(row[0], i, *row[1:])
                      for i, row in enumerate(found["kinds"])}
        self.aliases = aliases
        self._types = {}
        for name, member, word, offset, size in found["members"]:
            self._types.setdefault(name, {})[member] = Member(word, offset,
                                                              size)

    @staticmethod
    @functools.cache
    def of_build():
        types, aliases, values = {}, {}, []
        for floor, names in HEADERS.items():
            for name in names:
                text = (source() / "mod_acme" / floor / name).read_text()
                for made, members in structs(text):
                    (aliases if isinstance(members, str) else types)[made] = \
                        members
                values += enumerators(text)
        # Only what messages consist of: other structs may be private.
        wanted = {made: members for made, members in types.items()
                  if made.startswith("acme_msg_")
                  or made in ("acme_target_t", "acme_state_t")}
        program = PROGRAM % {
            "members": "\n".join(f'MEMBER({made}, {member}, "{word}")'
                                 for made, members in wanted.items()
                                 for word, member in members),
            "values": "\n".join(f"VALUE({name})" for name in values)}
        with tempfile.TemporaryDirectory(prefix="acme-layout-") as folder:
            path = pathlib.Path(folder) / "layout.c"
            path.write_text(program)
            # What it does not call is left out, and need not be there.
            compile_c(path, path.with_suffix(""), "-ffunction-sections",
                      "-fdata-sections", "-Wl,--gc-sections")
            done = subprocess.run([path.with_suffix("")], check=True,
                                  capture_output=True, text=True)
        return Layout(json.loads(done.stdout), aliases)

    def __getitem__(self, name):
        return self.values[name]

    def members(self, name):
        """Those of a type, of structs within it as "about.cert"."""
        name = self.aliases.get(name, name)
        found = {}
        for member, at in self._types.get(name, {}).items():
            inner = self.members(at.word) if at.word in self._types else None
            if not inner:
                found[member] = at
            for below, deep in (inner or {}).items():
                found[f"{member}.{below}"] = Member(
                    deep.word, at.offset + deep.offset, deep.size)
        return found

    def pack(self, name, size, values):
        """A body of zeros with these members set."""
        body = bytearray(size)
        members = self.members(name)
        for key, value in (values or {}).items():
            at = members[key]
            if isinstance(value, int):
                mask = (1 << 8 * at.size) - 1
                value = (value & mask).to_bytes(at.size, "little")
            elif isinstance(value, str):
                value = value.encode()
            assert len(value) <= at.size, f"{key} has {at.size} octets"
            body[at.offset:at.offset + len(value)] = value
        return bytes(body)

    def unpack(self, name, body):
        """Its members: numbers, texts, octets."""
        found = {}
        for key, at in self.members(name).items():
            data = body[at.offset:at.offset + at.size]
            if at.word == "char":
                found[key] = data.split(b"\0")[0].decode(errors="replace")
            elif "char" in at.word:
                found[key] = bytes(data)
            else:
                found[key] = int.from_bytes(
                    data, "little", signed="uint" not in at.word)
        return found

    def frame(self, kind, body, tail, /, **wrong):
        """frame_t of acme_message.c; wrong replaces what is in it."""
        fields = {"version": self["ACME_MESSAGE_VERSION"], "kind": kind,
                  "reply": 0, "status": 0, "body_len": len(body),
                  "tail_len": len(tail), **wrong}
        return FRAME.pack(*fields.values())


FRAME = struct.Struct("<HHIiII")
