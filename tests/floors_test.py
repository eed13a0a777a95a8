#!/usr/bin/env python3
"""The direction of the arrows: a floor of src/ includes only itself and floors below it.

Prints one line for each include that points up and exits with status 1; silent when all is well.
Runs on Python alone.
"""
import pathlib
import re
import sys

# From the ground up.
FLOORS = ["base", "metrics", "documents", "media", "event_stream", "sigv4", "http", "models", "api", "conversation",
          "catalog", "families", "converse", "client", "engines", "store", "auth", "service", "console", "suite",
          "server", "monitor", "cli"]

# Floors beside each other: either could stand below, and neither may know the other.
STRANGERS = [{"families", "engines"}, {"families", "catalog"}, {"engines", "catalog"}, {"engines", "converse"},
             {"api", "conversation"}, {"documents", "media"}]

# Heavy libraries and the only doors to each. Tests may go through any.
DOORS = {
    r"boost/beast": ["http"],
    r"boost/asio/(?!awaitable|this_coro)": ["http"],
    r"curl/(?!curlver)": ["http"],
    r"nghttp2/": ["http"],
    r"openssl/(ssl|x509)": ["http"],
    r"aws/": ["event_stream", "client"],
    r"llama(-cpp)?\.h|ggml|mtmd|stb/": ["engines/llama"],
    r"webp/": ["engines/llama", "media"],
    r"spng|turbojpeg": ["media"],
    r"libdeflate": ["media", "store"],
    r"ft2build|freetype/": ["engines/canvas"],
    r"stable-diffusion\.h": ["engines/diffusion/worker"],
    r"pugixml": ["documents"],
    r"zip\.h": ["documents", "models"],
    r"SQLiteCpp|sqlite3": ["store"],
}

SOURCE = pathlib.Path(__file__).resolve().parent.parent / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def includes(path):
    """(line number, quoted path or None, angled path or None)"""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1], match[2]


def floor_of(path):
    """The public headers, include/craton/, are the client's."""
    floor = path.split("/")[0]
    return "client" if floor == "craton" else floor


def complaint_about_floor(here, included):
    """What is wrong with `here` including the quoted path `included`; None when nothing is."""
    there = floor_of(included)
    if "/" not in included:
        return None if included.endswith("_config.h") else "name the floor: \"floor/header.h\""
    if there not in FLOORS:
        return f"{there}/ is no floor; tests/floors_test.py has the list"
    if FLOORS.index(there) > FLOORS.index(here):
        return f"{there}/ is above {here}/"
    if {here, there} in STRANGERS:
        return f"{here}/ and {there}/ know nothing of each other"
    return None


def complaint_about_door(place, included):
    if place.endswith(("_test.cc", "_test.h")):
        return None
    for library, doors in DOORS.items():
        if re.match(library, included) and not any(place.startswith(door + "/") for door in doors):
            return "only " + " and ".join(door + "/" for door in doors) + " may include it"
    return None


def complaint_about_first(path, first):
    """A source file begins with its own header: so every header is known to compile alone."""
    own = path.with_suffix(".h")
    if path.suffix != ".cc" or not own.is_file() or first == own.relative_to(SOURCE).as_posix():
        return None
    return f"begin with its own header, {own.relative_to(SOURCE)}, so that it is known to compile alone"


def complaints_about(path):
    place = path.relative_to(SOURCE).as_posix()
    found = list(includes(path))
    first = complaint_about_first(path, found[0][1] if found else None)
    if first:
        yield f"src/{place}:1: {first}"
    if path.suffix == ".h" and "#pragma once" not in path.read_text(encoding="utf-8"):
        yield f"src/{place}:1: #pragma once is missing"
    for number, quoted, angled in found:
        wrong = complaint_about_floor(floor_of(place), quoted) if quoted else None
        wrong = wrong or complaint_about_door(place, angled or quoted)
        if wrong:
            yield f"src/{place}:{number}: includes {quoted or angled}: {wrong}"


def main():
    files = sorted(path for path in SOURCE.rglob("*") if path.suffix in (".h", ".cc"))
    complaints = [line for path in files for line in complaints_about(path)]
    print(*complaints, sep="\n", end="\n" if complaints else "")
    return 1 if complaints or not files else 0


if __name__ == "__main__":
    sys.exit(main())
