#!/usr/bin/env python3
"""Writes tables.cc: the operations and input shapes of the pinned service models, without prose.

usage: tables.py BOTOCORE_DATA OUTPUT.cc

BOTOCORE_DATA is the data folder of the botocore package. Only the standard library.
"""
import gzip
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
from cpp_tables import Pool, flag, literal  # noqa: E402

SERVICES = {"bedrock": "bedrock", "bedrock-runtime": "bedrock_runtime"}
KINDS = {"string", "boolean", "integer", "long", "float", "double", "blob", "timestamp", "list", "map",
         "structure", "document"}
LOCATIONS = {None: "body", "uri": "uri", "querystring": "query", "header": "header"}

REPETITION_MAX = 1000  # RE2 refuses larger counts
COUNTED = re.compile(r"(\.|\[(?:\\.|[^\]])*\])\{(\d*),(\d+)\}")


def read_model(data, service):
    folder = max((data / service).iterdir())
    return json.loads(gzip.decompress((folder / "service-2.json.gz").read_bytes()))


def number(value):
    return "none" if value is None else repr(float(value))


def for_re2(pattern):
    """`pattern` with counts past RE2's limit cut into several that are not."""
    def cut(found):
        atom, least, most = found[1], int(found[2] or 0), int(found[3])
        text = ""
        while most > 0:
            text += f"{atom}{{{min(least, REPETITION_MAX)},{min(most, REPETITION_MAX)}}}"
            least, most = max(0, least - REPETITION_MAX), most - REPETITION_MAX
        return text
    return COUNTED.sub(lambda found: cut(found) if int(found[3]) > REPETITION_MAX else found[0], pattern)


class Tables:
    def __init__(self, data):
        self.models = {service: read_model(data, service) for service in SERVICES}
        self.numbers = {}   # (service, shape name) -> index
        self.patterns = []
        self.values = Pool("std::string_view", "values")
        self.segments = Pool("Segment", "segments")
        self.operations = sorted((name, service, entry) for service, model in self.models.items()
                                 for name, entry in model["operations"].items())
        self.roots = [self.number(service, entry["input"]["shape"])
                      for _, service, entry in self.operations]

    def number(self, service, name):
        """The index of a shape, which is written with all that it refers to."""
        key = (service, name)
        if key not in self.numbers:
            self.numbers[key] = len(self.numbers)
            shape = self.models[service]["shapes"][name]
            references = [*shape.get("members", {}).values()]
            references += [shape[part] for part in ("member", "key", "value") if part in shape]
            for reference in references:
                self.number(service, reference["shape"])
        return self.numbers[key]

    def pointer(self, service, reference):
        return f"&shapes[{self.number(service, reference['shape'])}]" if reference else "nullptr"

    def pattern(self, shape):
        if "pattern" not in shape:
            return -1
        pattern = shape["pattern"]
        if pattern not in self.patterns:
            self.patterns.append(pattern)
        return self.patterns.index(pattern)

    def member_rows(self, service, shape):
        required = shape.get("required", [])
        for name, member in shape.get("members", {}).items():
            location = "payload" if shape.get("payload") == name else LOCATIONS[member.get("location")]
            yield (f"{{{literal(name)}, {literal(member.get('locationName', name))}, "
                   f"{self.pointer(service, member)}, Location::{location}, {flag(name in required)}}}")

    def shape_rows(self):
        members = []
        rows = []
        for (service, name), index in self.numbers.items():
            shape = self.models[service]["shapes"][name]
            kind = "document" if shape.get("document") else shape["type"]
            assert kind in KINDS, f"{name}: a new kind of shape, {kind}"
            span = "{}"
            if shape.get("members") and kind == "structure":
                span = f"members_{index}"
                members.append(f"constexpr Member {span}[] = {{"
                               + ", ".join(self.member_rows(service, shape)) + "};")
            values = self.values.span([literal(value) for value in sorted(shape.get("enum", []))])
            rows.append(
                f"    {{{literal(name)}, Kind::{kind}{'_' if kind in ('long', 'float', 'double') else ''}, "
                f"{number(shape.get('min'))}, {number(shape.get('max'))}, {self.pattern(shape)}, "
                f"{values}, {span}, {self.pointer(service, shape.get('member') or shape.get('value'))}, "
                f"{self.pointer(service, shape.get('key'))}, {flag(shape.get('union'))}, "
                f"{flag(shape.get('sensitive'))}, {flag(shape.get('eventstream'))}}},")
        return members, rows

    def operation_rows(self):
        for (name, service, entry), root in zip(self.operations, self.roots):
            http = entry["http"]
            yield (f"    {{{literal(name)}, Service::{SERVICES[service]}, {literal(http['method'])}, "
                   f"{literal(http['requestUri'])}, {http['responseCode']}, &shapes[{root}]}},")

    def route_rows(self):
        rows = []
        for index, (_, _, entry) in enumerate(self.operations):
            path = entry["http"]["requestUri"]
            assert "?" not in path and "+}" not in path, f"{path}: a new form of URI template"
            parts = path.strip("/").split("/")
            segments = [f"{{{literal(part.strip('{}'))}, {flag(part.startswith('{'))}}}" for part in parts]
            rows.append((entry["http"]["method"], parts[0], index, self.segments.span(segments)))
        return [f"    {{&operation_rows[{index}], {span}}}," for _, _, index, span in sorted(rows)]

    def text(self):
        members, shapes = self.shape_rows()
        routes = self.route_rows()
        patterns = [f"    {{{literal(pattern)}, {literal(for_re2(pattern))}}}," for pattern in self.patterns]
        return "\n".join([
            "// Generated by src/api/tables.py from the pinned service models. Do not edit.",
            "#include \"api/tables.h\"", "", "namespace craton::api {", "",
            f"extern const Shape shapes[{len(shapes)}];", "namespace {", "",
            "constexpr std::optional<double> none = std::nullopt;",
            *self.values.definitions(), *self.segments.definitions(), *members, "",
            "constexpr Pattern pattern_rows[] = {", *patterns, "};", "",
            "constexpr Operation operation_rows[] = {", *self.operation_rows(), "};", "",
            "constexpr Route route_rows[] = {", *routes, "};", "", "}  // namespace", "",
            f"constinit const Shape shapes[{len(shapes)}] = {{", *shapes, "};", "",
            "std::span<const Operation> operations() { return operation_rows; }",
            "std::span<const Route> routes() { return route_rows; }",
            "std::span<const Pattern> patterns() { return pattern_rows; }",
            "std::span<const Shape> all_shapes() { return shapes; }",
            "", "}  // namespace craton::api", ""])


def main():
    data, output = map(pathlib.Path, sys.argv[1:])
    output.write_text(Tables(data).text(), encoding="utf-8")


if __name__ == "__main__":
    main()
