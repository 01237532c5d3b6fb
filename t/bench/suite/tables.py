"""Results: tables as markdown and as JSON, and in docs/measured.md.

A table is {"title", "notes": [...], "columns": [...], "rows": [[...], ...]},
the first column a name. A cell is text or a number, or None: not measured.
"""

import json
import statistics

BEGIN = "<!-- build/bench --write: from here -->"
END = "<!-- build/bench --write: to here -->"


def table(title, columns, rows, notes=()):
    for row in rows:
        assert len(row) == len(columns), row
    return {"title": title, "notes": list(notes), "columns": list(columns),
            "rows": [list(row) for row in rows]}


def median(values):
    return statistics.median(values) if values else None


def shown(value):
    """Three digits, and thousands with a comma."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if value == 0:
        return "0"
    if abs(value) < 0.1:
        return f"{value:.3f}"
    if abs(value) < 9.95:
        return f"{value:.2f}" if abs(value) < 1 else f"{value:.1f}"
    return f"{round(value):,}"


def ratio(value, other):
    """None where one is missing."""
    return value / other if value and other else None


def markdown(made):
    """One table, with its notes behind it."""
    lines = [f"### {made['title']}", "",
             "| " + " | ".join(made["columns"]) + " |",
             "| --- |" + " ---: |" * (len(made["columns"]) - 1)]
    lines += ["| " + " | ".join(map(shown, row)) + " |"
              for row in made["rows"]]
    if made["notes"]:
        lines += ["", *(f"- {note}" for note in made["notes"])]
    return "\n".join(lines) + "\n"


def parse(text):
    """Titles and rows of markdown() again: {title: [[cell, ...], ...]}."""
    found, rows = {}, None
    for line in text.splitlines():
        if line.startswith("### "):
            rows = found[line[4:]] = []
        elif line.startswith("| ") and rows is not None \
                and not line.startswith("| --- |"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return {title: rows[1:] for title, rows in found.items()}


def document(results):
    """All of it: the machine, then each part that was measured."""
    lines = ["| | |", "| --- | --- |",
             *(f"| {name} | {value} |"
               for name, value in results["machine"].items()), ""]
    for part in results["parts"].values():
        for made in part["tables"]:
            lines += [markdown(made)]
    return "\n".join(lines)


def save(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / "results.md").write_text(document(results))


def load(folder):
    """What was saved, or nothing."""
    path = folder / "results.json"
    return json.loads(path.read_text()) if path.exists() else {"parts": {}}


def write(results, path):
    """Into the place of the document that is marked for it."""
    text = path.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path}: the lines that mark the place are missing")
    path.write_text(f"{before}{BEGIN}\n\n{document(results)}\n{END}{after}")
