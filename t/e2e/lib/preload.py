"""
Functions that httpd finds before those of its libraries: what another OpenSSL
or mod_ssl would do, or one that fails.
"""

import subprocess

BEFORE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
"""


def preload(folder, source):
    """The environment of a server that has these, in C."""
    library = folder / "preloaded.so"
    subprocess.run(["gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-o",
                    str(library), "-x", "c", "-"], input=BEFORE + source,
                   text=True, check=True)
    return {"LD_PRELOAD": str(library)}
