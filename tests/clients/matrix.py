#!/usr/bin/env python3
"""Writes the tables of docs/clients.md from what run.py recorded.

usage: matrix.py RESULTS

RESULTS is the folder of the records. The row of a client that has none there (its toolchain is missing)
stays as it is. Exit status: 0 when the page said all this before; 1 when it had to be changed, so that a
page that is not committed is noticed.
"""
import json
import pathlib
import sys

from clients import CLIENTS, STEPS

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "clients.md"
BEGIN, END = "<!-- {}: written by tests/clients/matrix.py -->\n", "<!-- end of table -->\n"


def cell(client, steps, step):
    if step in client.lacks:
        return "n/a"
    return "✓" if steps[step]["ok"] else "✗"


def matrix_row(client, record):
    transport = " and ".join(record["transports"])
    return [record["version"], f"`{client.pointer}`", transport,
            *(cell(client, record["steps"], step) for step in STEPS)]


def surface_row(client, record):
    error, throttle = (record["steps"][step]["detail"] for step in ("error", "throttle"))
    return [f"`{error}`", f"`{throttle}`", str(client.attempts)]


TABLES = {
    "matrix": (["Client", "Version", "Pointed by", "Speaks", *STEPS], matrix_row),
    "surface": (["Client", "An unknown model id", "A server that throttles", "Asks"], surface_row),
}


def line_of(cells):
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"


def rewritten(page, name, records):
    """`page` with the table `name` made anew; a row without a record is kept."""
    head, row_of = TABLES[name]
    before, rest = page.split(BEGIN.format(name), 1)
    table, after = rest.split(END, 1)
    kept = {line.split(" | ")[0].removeprefix("| "): line for line in table.splitlines(keepends=True)}
    lines = [line_of(head), line_of(["---"] * len(head))]
    for client in CLIENTS.values():
        if client.name in records:
            lines.append(line_of([client.title, *row_of(client, records[client.name])]))
        elif client.title in kept:
            lines.append(kept[client.title])
    return before + BEGIN.format(name) + "".join(lines) + END + after


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    records = {}
    for path in pathlib.Path(sys.argv[1]).glob("*.json"):
        records[path.stem] = json.loads(path.read_text(encoding="utf-8"))
    if not records:
        print(f"matrix: no client has left a record in {sys.argv[1]}", file=sys.stderr)
        return 1
    found = PAGE.read_text(encoding="utf-8")
    page = found
    for name in TABLES:
        page = rewritten(page, name, records)
    if page == found:
        return 0
    PAGE.write_text(page, encoding="utf-8")
    print("matrix: docs/clients.md said something else than this run; it is rewritten. Look at the difference "
          "and commit it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
