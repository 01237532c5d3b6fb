"""Start, httpd -t and reload with thousands of virtual hosts: t/bench/load."""

import json
import os
import pathlib
import subprocess
import sys

from suite import tables

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "load"
PLAIN = "plain mod_ssl"
KINDS = {PLAIN: ["--plain"], "mod_acme": [], "mod_md": ["--mod_md"]}
MOST_SECONDS = {"mod_md": 240}      # where it would take much longer
COLUMNS = {"first": "first start, CPU s", "settled": "start, CPU s",
           "-t": "`httpd -t`, CPU s", "reloaded": "reload, CPU s",
           "reload seconds": "reload, s"}
RATIOS = {"settled": "start: times plain's", "-t": "-t: times plain's",
          "reloaded": "reload: times plain's"}
NOTES = [
    "CPU of all processes of httpd with all that follows from it; the first "
    "start is that with files which mod_acme has not tried yet. Memory is that "
    "of the parent which is of no file: in MB with no virtual host, and what "
    "each virtual host adds to that. By `t/bench/load`."]


def part(run):
    rows, notes = [], list(NOTES)
    bases = {}                          # kB of the parent of each
    for count in (0, 1000) if run.quick else (0, 1000, 5000, 10000):
        run.say_to_go()
        plain = None
        for title, flags in KINDS.items():
            name = f"{count:,}: {title}"
            found, reason = _measure(count, flags, MOST_SECONDS.get(title))
            if not found:
                notes.append(f"{name}: {reason}")
                continue
            run.say(f"{name}: {json.dumps(found)}")
            if title == PLAIN:
                plain = found
            bases.setdefault(title, found["kB"]["Anonymous"])
            rows.append([
                name, *(found[key] for key in COLUMNS),
                *(tables.ratio(found[key], plain and plain[key])
                  for key in RATIOS), _memory(found, bases[title])])
    return [tables.table("httpd with many virtual hosts that have certificates",
                         ["", *COLUMNS.values(), *RATIOS.values(),
                          "parent"], rows, notes)]


def _measure(count, flags, most):
    """What t/bench/load says, or nothing and why."""
    with subprocess.Popen(
            [sys.executable, SCRIPT, "--json", "--build",
             os.environ["ACME_BUILD"], *flags, str(count)], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE) as load:
        try:
            said, errors = load.communicate(timeout=most)
        except subprocess.TimeoutExpired:
            return None, f"takes more than {most} s, and is left out."
        finally:
            load.terminate()            # it ends its server, if it has one
    if load.returncode:
        return None, "could not be measured: " \
            + (errors.strip().splitlines() or ["?"])[-1][:200]
    return json.loads(said), ""


def _memory(found, base):
    kilobytes = found["kB"]["Anonymous"]
    if not found["count"]:
        return f"{kilobytes / 1000:.1f} MB"
    return f"{(kilobytes - base) / found['count']:.1f} kB each"
