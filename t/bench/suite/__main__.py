"""
What build/bench runs after it has built everything:

    python3 -m suite --build BUILD [--results FOLDER] [--write]
                     [--only CLIENT,...] [--counts N,...]
                     [quick | all | long] [PART ...]

--only and --counts are of the parts near and far. See build/bench.
"""

import argparse
import math
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
from suite.ca import StandsStill            # noqa: E402

PARTS = {
    "near": issuance.part,
    "far": lambda run: issuance.part(run, far=True),
    "load": loading.part,
    "handshakes": serving.handshakes,
    "callback": serving.callback,
    "swaps": serving.swaps,
    "challenges": serving.challenges}
LAST = "far"                # it leaves out what there is no time for

# Minutes that they take, about, on two quiet cores.
MINUTES = {
    "all": {"near": 13, "load": 14, "handshakes": 3, "callback": 1, "swaps": 7,
            "challenges": 1, "far": 25},
    "quick": {"near": 2, "far": 2, "load": 1, "handshakes": 1, "callback": 1,
              "swaps": 1, "challenges": 1},
    "long": {"near": 85, "load": 14, "handshakes": 3, "callback": 1,
             "swaps": 7, "challenges": 1, "far": 95}}
MODES = tuple(MINUTES)
MOST = {"all": 64}          # minutes: what would take longer is left out
TRIES = 3                   # of a part with a CA that stands still

begin = time.monotonic()


class Run:
    """What is asked for, and how far it has come."""

    def __init__(self, mode, parts):
        self.mode = mode
        self.quick = mode == "quick"
        self.parts = sorted(parts, key=lambda name: name == LAST)
        self.failures = 0
        self.part = None
        self.part_begin = 0
        self.only = [clients.BY_NAME[word]
                     for word in filter(None, options.only.split(","))]
        self.counts = [int(word)
                       for word in filter(None, options.counts.split(","))]

    @staticmethod
    def say(text):
        print(f"{time.monotonic() - begin:7.1f} s  {text}", flush=True)

    def left(self):
        """Seconds; without end where nobody waits for it."""
        most = MOST.get(self.mode)
        return begin + most * 60 - time.monotonic() if most else math.inf

    def say_to_go(self):
        """How long the rest takes, about."""
        expected = MINUTES[self.mode]
        to_come = self.parts[self.parts.index(self.part) + 1:]
        here = (time.monotonic() - self.part_begin) / 60
        minutes = max(1, expected[self.part] - here) \
            + sum(expected[name] for name in to_come)
        self.say(f"about {round(minutes)} minutes to go")

    def measure(self, name):
        """The tables of a part; None when it has failed."""
        self.part, self.part_begin = name, time.monotonic()
        self.say(f"== {name}")
        self.say_to_go()
        void = 0
        while True:
            try:
                made = PARTS[name](self)
            except StandsStill:
                void += 1
                self.say(f"{name}: the CA stands still")
                if void < TRIES:
                    continue
                self.failures += 1
                return None
            except Exception:       # pylint: disable=broad-except
                traceback.print_exc()
                self.failures += 1
                return None
            if void:
                made[-1]["notes"].append("Begun anew, as the CA stood still: "
                                         f"{void} times.")
            return made


def main():
    words = list(options.words)
    mode = words.pop(0) if words and words[0] in MODES else "all"
    parts = words or list(PARTS)
    if set(parts) - set(PARTS):
        parser.error(f"parts: {' '.join(PARTS)}")
    # Of a run of some parts the others stay: ratios hold within a part.
    results = tables.load(folder) if words else {"parts": {}}
    results["machine"] = machine.facts(mode)
    run = Run(mode, parts)
    missing = []
    for name in run.parts:
        made = run.measure(name)
        if made is None:
            missing.append(name)
            continue
        results["parts"][name] = {"tables": made}
        tables.save(results, folder)
    results["parts"] = {name: results["parts"][name] for name in PARTS
                        if name in results["parts"]}
    tables.save(results, folder)
    print(f"\n{tables.document(results)}")
    if options.write and not missing:
        tables.write(results, REPOSITORY / "docs" / "measured.md")
    run.say(f"written: {folder}/results.md and results.json")
    return 1 if run.failures else 0


# Ended from outside it still ends what it started.
signal.signal(signal.SIGTERM, signal.default_int_handler)
os.umask(0o022)
sys.exit(main())
