#!/usr/bin/env python3
"""Writes HTML's named character references as a C++ table, from Python's html.entities.

usage: html_entities.py OUTPUT

The names are HTML's own (https://html.spec.whatwg.org/#named-character-references): those without a
semicolon at the end stand for a character even so, as they did in the nineties.
"""
import html.entities
import pathlib
import sys


def row(name, text):
    octets = "".join(f"\\{byte:03o}" for byte in text.encode())
    return f'    {{"{name}", "{octets}"}},'


def main():
    # In the order of their bytes, which the search in html_entities.h relies on.
    rows = [row(name, text) for name, text in sorted(html.entities.html5.items())]
    pathlib.Path(sys.argv[1]).write_text("\n".join([
        "// Made by src/documents/html_entities.py: do not edit.",
        '#include "documents/html_entities.h"',
        "",
        "namespace craton::documents {",
        "namespace {",
        "",
        "constexpr HtmlEntity table[] = {",
        *rows,
        "};",
        "",
        "}  // namespace",
        "",
        "const std::span<const HtmlEntity> html_entities = table;",
        "",
        "}  // namespace craton::documents",
        "",
    ]), encoding="utf-8")


main()
