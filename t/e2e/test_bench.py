"""build/bench: that it still measures, with the least that it can."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from lib.httpd import BUILD, REPOSITORY

FOLDER = REPOSITORY / "t" / "bench"
sys.path.insert(0, str(FOLDER))

from suite import ca as cas, tables                         # noqa: E402


def measure(results, *arguments):
    """The tables that were made, and what was printed."""
    done = subprocess.run(
        [sys.executable, "-m", "suite", "--build", BUILD, "--results", results,
         *arguments], check=False, text=True, timeout=300,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(FOLDER),
             "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stdout
    return (json.loads((results / "results.json").read_text())["parts"],
            done.stdout)


def test_one_certificate_of_mod_acme_is_measured(tmp_path):
    parts, said = measure(tmp_path, "--only", "mod_acme", "--counts", "1",
                          "quick", "near")
    issued, served, costs = parts["near"]["tables"]
    (name, issued_s, ratio), = issued["rows"]
    (_, served_s, _), = served["rows"]
    assert name == "mod_acme" and 0 < issued_s <= served_s and ratio == 1
    (name, requests, cpu, ca_cpu, times_cpu, served_cpu, memory), = \
        costs["rows"]
    assert 5 < requests < 30, "an order is some requests"
    assert 0 < cpu <= served_cpu and ca_cpu >= 0 and memory > 1
    assert times_cpu * (cpu + ca_cpu) == pytest.approx(
        issued_s * os.cpu_count())
    # What is printed is what is kept, and can be read again.
    assert tables.parse((tmp_path / "results.md").read_text())[
        issued["title"]] == [["mod_acme", *map(tables.shown, (issued_s, 1.0))]]
    assert f"### {costs['title']}" in said


def test_a_ca_that_is_far_away_takes_longer(tmp_path):
    parts, _ = measure(tmp_path, "--only", "mod_acme", "--counts", "1",
                       "quick", "far")
    (_, issued, _), = parts["far"]["tables"][0]["rows"]
    assert issued > 0.5, "five requests one after the other, at least"


def test_a_ca_that_stands_still_is_noticed(site, monkeypatch):
    monkeypatch.setattr(cas, "QUIET", 0)
    monkeypatch.setattr(cas, "ANSWER", 2)
    monkeypatch.setattr(cas, "LOOK", 0)
    ca = site.ca(cas.Ca)
    watch = cas.Watch(ca)
    for _ in range(3):
        watch.look()            # it has nothing to do, and answers
    os.kill(ca.server.pid, signal.SIGSTOP)
    with pytest.raises(cas.StandsStill):
        for _ in range(3):
            watch.look()
    os.kill(ca.server.pid, signal.SIGCONT)


def marked(mark):
    """Processes that have this in their environment."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes():
                yield folder.name
        except OSError:
            continue                    # it has ended


def test_what_load_has_started_ends_with_it():
    mark = f"of-test-{os.getpid()}"
    done = subprocess.run(
        [FOLDER / "load", "--build", BUILD, "1"], check=False, text=True,
        timeout=300, capture_output=True,
        env={**os.environ, "ACME_MARK": mark})
    assert done.returncode == 0, done.stderr
    assert "count 1," in done.stdout
    assert not list(marked(mark.encode()))


def test_the_table_replaces_the_one_in_the_document(tmp_path):
    document = tmp_path / "measured.md"
    document.write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nbehind\n")
    made = tables.table("Hares", ["", "a", "b"],
                        [["one", 1234.5, None], ["two", 0.25, "x"]], ["n"])
    tables.write({"machine": {"CPU": "2"}, "parts": {"p": {"tables": [made]}}},
                 document)
    text = document.read_text()
    assert text.startswith(f"before\n{tables.BEGIN}\n")
    assert text.endswith(f"{tables.END}\nbehind\n") and "old" not in text
    assert tables.parse(text) == {
        "Hares": [["one", "1,234", "-"], ["two", "0.25", "x"]]}


def test_the_document_has_a_place_for_the_table():
    text = pathlib.Path(REPOSITORY, "docs", "measured.md").read_text()
    assert text.count(tables.BEGIN) == text.count(tables.END) == 1
