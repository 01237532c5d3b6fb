"""
What build/bench runs after it has built everything:

    python3 -m suite --build BUILD [--results FOLDER] [--write]
                     [--only CLIENT,...] [--counts N,...]
                     [quick | all | long] [PART ...]

--only and --counts are of the parts near and far. See build/bench.
"""

import argparse
import os
import pathlib
import signal
import sys
import time
import traceback

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]

parser = argparse.ArgumentParser()
parser.add_argument("--build", required=True, type=pathlib.Path)
parser.add_argument("--results", type=pathlib.Path)
parser.add_argument("--write", action="store_true")
parser.add_argument("--only", default="", metavar="CLIENT,...")
parser.add_argument("--counts", default="", metavar="N,...")
parser.add_argument("words", nargs="*")
options = parser.parse_args()
build = options.build.resolve()
folder = options.results or build
os.environ["ACME_BUILD"] = str(build)
os.environ["ACME_MODULE"] = str(build / "mod_acme/httpd/.libs/mod_acme.so")
sys.path.insert(0, str(REPOSITORY / "t" / "e2e"))

from suite import (clients, issuance, loading, machine, serving,    # noqa: E402
                   tables)

PARTS = {
    "near": issuance.part,
    "far": lambda run: issuance.part(run, far=True),
    "load": loading.part,
    "handshakes": serving.handshakes,
    "callback": serving.callback,
    "swaps": serving.swaps,
    "challenges": serving.challenges}
MODES = "quick", "all", "long"

begin = time.monotonic()


class Run:
    """What is asked for."""

    def __init__(self, mode):
        self.mode = mode
        self.quick = mode == "quick"
        self.only = [clients.BY_NAME[word]
                     for word in filter(None, options.only.split(","))]
        self.counts = [int(word)
                       for word in filter(None, options.counts.split(","))]

    @staticmethod
    def say(text):
        print(f"{time.monotonic() - begin:7.1f} s  {text}", flush=True)


def main():
    words = list(options.words)
    mode = words.pop(0) if words and words[0] in MODES else "all"
    parts = words or list(PARTS)
    if set(parts) - set(PARTS):
        parser.error(f"parts: {' '.join(PARTS)}")
    # Of a run of some parts the others stay: ratios hold within a part.
    results = tables.load(folder) if words else {"parts": {}}
    results["machine"] = machine.facts(mode)
    run = Run(mode)
    failures = 0
    for name in parts:
        run.say(f"== {name}")
        try:
            made = PARTS[name](run)
        except Exception:           # pylint: disable=broad-except
            traceback.print_exc()
            failures += 1
            continue
        if made:
            results["parts"][name] = {"tables": made}
        else:
            run.say(f"{name}: not in this tree yet")
        tables.save(results, folder)
    results["parts"] = {name: results["parts"][name] for name in PARTS
                        if name in results["parts"]}
    tables.save(results, folder)
    print(f"\n{tables.document(results)}")
    if options.write and not failures:
        tables.write(results, REPOSITORY / "docs" / "measured.md")
    run.say(f"written: {folder}/results.md and results.json")
    return 1 if failures else 0


# Ended from outside it still ends what it started.
signal.signal(signal.SIGTERM, signal.default_int_handler)
os.umask(0o022)
sys.exit(main())
