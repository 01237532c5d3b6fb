"""Start, httpd -t and reload with thousands of virtual hosts: t/bench/load."""

import json
import os
import pathlib
import subprocess
import sys

from suite import tables

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "load"
KINDS = {"plain mod_ssl": ["--plain"], "mod_acme": [],
         "mod_md": ["--mod_md"]}
COLUMNS = {"start": "start, CPU s", "settled": "and what follows",
           "-t": "`httpd -t`, CPU s", "reload": "reload, CPU s",
           "reload seconds": "reload, s"}


def part(run):
    if not SCRIPT.exists():
        return []
    counts = [1000] if run.quick else [1000, 5000, 10000]
    return [_table(count, run.say) for count in counts]


def _table(count, say):
    found, notes = {}, []
    for title, flags in KINDS.items():
        done = subprocess.run(
            [sys.executable, SCRIPT, "--json", "--build",
             os.environ["ACME_BUILD"], *flags, str(count)], check=False,
            capture_output=True, text=True, timeout=3600)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["?"])[-1]
            notes.append(f"{title} could not be measured: {reason[:200]}")
            continue
        found[title] = json.loads(done.stdout)
        say(f"{title}, {count}: {done.stdout.strip()}")
    return tables.table(
        f"httpd with {count:,} virtual hosts that have certificates",
        ["", *COLUMNS.values(), "parent, kB each"],
        [[title, *(row.get(key) for key in COLUMNS),
          (row.get("kB") or {}).get("Rss")] for title, row in found.items()],
        ["CPU of all processes of httpd, from `t/bench/load`; until the last "
         "name is answered, then until nothing more follows from it.", *notes])
