"""The scripts run with Python 3.6, which RHEL 8 has: here as far as it shows
without that Python."""

import ast

import pytest

from lib.hook import FOLDER

SCRIPTS = sorted(path for path in FOLDER.iterdir() if not path.suffix
                 and "python3" in path.read_text().partition("\n")[0])

# Of later versions: arguments, attributes, and modules.
LATER = {"capture_output", "text", "isascii", "removeprefix", "removesuffix",
         "SSLCertVerificationError", "fromisoformat", "missing_ok",
         "dirs_exist_ok", "dataclasses", "zoneinfo", "contextvars",
         "waitstatus_to_exitcode"}


def names(tree):
    """Of attributes, keyword arguments of calls, and imported modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.keyword):
            yield node.arg
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_nothing_newer_is_used(script):
    tree = ast.parse(script.read_text(), feature_version=(3, 6))
    assert not LATER & set(names(tree))


def test_these_are_all_scripts_in_python():
    assert {"fetch-s3", "notify-mail", "import-acm"} \
        < {path.name for path in SCRIPTS}
