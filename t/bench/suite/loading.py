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
COLUMNS = {"first": "first start, CPU s", "settled": "start, CPU s",
           "-t": "`httpd -t`, CPU s", "reloaded": "reload, CPU s",
           "reload seconds": "reload, s", "kB": "parent, kB each"}
NOTES = [
    "CPU of all processes of httpd with all that follows from it; the first "
    "start is that with files which mod_acme has not tried yet. kB is memory of "
    "the parent that is of no file, divided among the virtual hosts. By "
    "`t/bench/load`."]


def part(run):
    if not SCRIPT.exists():
        return []
    counts = [1, 1000] if run.quick else [1, 1000, 5000, 10000]
    rows, notes = [], list(NOTES)
    for count in counts:
        for title, flags in KINDS.items():
            name = f"{count:,}: {title}"
            found, reason = _measure(count, flags)
            if found:
                run.say(f"{name}: {json.dumps(found)}")
                rows.append([name, *(_cell(found, key) for key in COLUMNS)])
            else:
                notes.append(f"{name} could not be measured: {reason}")
    return [tables.table("httpd with many virtual hosts that have certificates",
                         ["", *COLUMNS.values()], rows, notes)]


def _measure(count, flags):
    """What t/bench/load says, or nothing and why."""
    done = subprocess.run(
        [sys.executable, SCRIPT, "--json", "--build", os.environ["ACME_BUILD"],
         *flags, str(count)], check=False, capture_output=True, text=True,
        timeout=3600)
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or ["?"])[-1][:200]
    return json.loads(done.stdout), ""


def _cell(found, key):
    value = found.get(key)
    return value.get("Anonymous") if isinstance(value, dict) else value
