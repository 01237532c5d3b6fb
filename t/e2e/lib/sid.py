"""Programs of Debian's next releases, where this one's lack what is tested.

A package is fetched once, through a state of apt's own that leaves the system
alone, into $ACME_SID or .build/sid, and unpacked there. Go programs run from
it as they are, and pure Python ones with its folder in PYTHONPATH. No version
is pinned, for sid moves; where a package cannot be had, its tests are skipped
and say why.
"""

import contextlib
import fcntl
import functools
import os
import pathlib
import subprocess
import time

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
CACHE = pathlib.Path(os.environ.get("ACME_SID", REPOSITORY / ".build/sid"))

FETCH_SECONDS = 50
RETRY_SECONDS = 900                     # after a fetch that failed

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def program(package, path, suite="sid"):
    """The file at path of a suite's package, or the test is skipped."""
    with _locked():
        found = CACHE / package / path
        problem = None if found.exists() else \
            _fetch_once(package, suite, found)
    if problem:
        pytest.skip(f"{package} of Debian {suite} cannot be had: {problem}")
    return found


def prefetch(package, path, suite="sid"):
    """Before any test: some run in a namespace that reaches no mirror."""
    with contextlib.suppress(pytest.skip.Exception):
        program(package, path, suite)


@contextlib.contextmanager
def _locked():
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch_once(package, suite, wanted):
    """What went wrong, now or a short time ago; None: it is there."""
    failed = CACHE / f"{package}.failed"
    if failed.exists() and \
            time.time() - failed.stat().st_mtime < RETRY_SECONDS:
        return failed.read_text()
    try:
        _fetch(package, suite)
        problem = None if wanted.exists() else f"it has no {wanted.name}"
    except (subprocess.SubprocessError, OSError, LookupError) as error:
        said = (getattr(error, "stderr", None) or b"").decode().split("\n")
        problem = next((line for line in said if line.startswith("E:")),
                       str(error))
    if problem:
        failed.write_text(problem)
    return problem


def _fetch(package, suite):
    lists = CACHE / "lists" / suite
    for folder in (lists / "partial", CACHE / "cache/archives/partial"):
        folder.mkdir(parents=True, exist_ok=True)
    (CACHE / "status").write_text("")
    sources = CACHE / "sources.list"
    sources.write_text(
        f"deb [signed-by={KEYRING}] {_mirror()} {suite} main\n")
    apt = ["apt-get", "-q",
           "-o", f"Dir::Etc::sourcelist={sources}",
           "-o", "Dir::Etc::sourceparts=/dev/null",
           "-o", f"Dir::State::Lists={lists}",
           "-o", f"Dir::Cache={CACHE}/cache",
           "-o", f"Dir::State::status={CACHE}/status",
           "-o", "Acquire::Languages=none", "-o", "Acquire::Retries=1",
           "-o", "Acquire::http::Timeout=15", "-o", "APT::Sandbox::User=root"]
    deadline = time.monotonic() + FETCH_SECONDS
    for old in CACHE.glob(f"{package}_*.deb"):
        old.unlink()
    for argv in ([*apt, "--error-on=any", "update"],
                 [*apt, "download", f"{package}/{suite}"]):
        _run(argv, deadline)
    deb, = CACHE.glob(f"{package}_*.deb")
    unpacked = CACHE / f"{package}.new"
    _run(["dpkg", "-x", deb, unpacked], deadline)
    unpacked.rename(CACHE / package)


def _run(argv, deadline):
    subprocess.run(argv, cwd=CACHE, check=True, capture_output=True,
                   timeout=max(deadline - time.monotonic(), 0.1))


@functools.cache
def _mirror():
    """Where the machine's own apt gets Debian from."""
    uris = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)",
         "Created-By: Packages", "Component: main"],
        check=True, capture_output=True, text=True, timeout=10).stdout
    for uri in uris.split():
        if uri.rstrip("/").endswith("/debian"):
            return uri
    raise LookupError("apt's sources name no mirror of Debian")
