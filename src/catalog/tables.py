#!/usr/bin/env python3
"""Writes tables.cc: the JSON files of data/ as the constants that tables.h declares.

usage: tables.py DATA_FOLDER OUTPUT.cc

Only the standard library. Facts that nothing reads yet (prices) stay in the JSON.
"""
import datetime
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
from cpp_tables import Pool, flag, literal  # noqa: E402

# Both are stated, with what they mean, in data/README.md.
FACTS_TIME = "2026-11-23T00:00:00Z"
LISTS_TAKEN = "2026-10-09T00:00:00Z"

# The members of catalog::Capabilities, in their order, by the names that the data has for them.
CAPABILITIES = ["chat", "system", "tools", "streamingTools", "vision", "documents", "promptCaching",
                "reasoning", "structuredOutput", "guardrails", "countTokens", "toolChoiceAny",
                "toolChoiceTool", "prefill", "separateToolTurns", "temperatureOrTopP"]

ARN_HEAD = '{"modelArn":"arn:aws:bedrock:us-east-1'


def unix_seconds(time):
    return int(datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp())


class Tables:
    def __init__(self, data):
        read = lambda path: json.loads((data / path).read_text(encoding="utf-8"))
        self.seed = read("foundation-models/seed.json")
        self.limits = read("foundation-models/seed-limits.json")
        # An id of the OpenAI- and Anthropic-shaped endpoint alone is no model of this API.
        self.today = [entry for entry in read("foundation-models/today.json")
                      if "bedrock-runtime" in entry["facts"]["endpoints"]]
        self.converse = read("foundation-models/converse.json")
        self.profiles = read("inference-profiles.json")
        self.regions = sorted(set(self.all_regions()))
        assert len(self.regions) <= 64, "a RegionSet has 64 bits"
        self.texts = Pool("std::string_view", "names")
        self.routes = Pool("Route", "routes")

    def all_regions(self):
        for entry in self.today:
            for member in ("listedRegions", "regions", "lastKnownRegions"):
                yield from entry["facts"].get(member, [])
        for profile in self.profiles:
            for route in profile["routes"]:
                yield from route["sourceRegions"]
                yield from (name for name in route["destinationRegions"] if name != "*")

    def region_set(self, names):
        bits = 0
        for name in names:
            bits |= 1 << self.regions.index(name)
        return f"{bits:#x}"

    def names(self, texts):
        return self.texts.span([literal(text) for text in texts])

    def capabilities(self, model_id, facts):
        """Capabilities: those of `facts`, else of the longest prefix's row; and what the row adds."""
        rows = [row for row in self.converse if model_id.startswith(row["idPrefix"])]
        row = max(rows, key=lambda row: len(row["idPrefix"]), default={})
        names = {*facts.get("capabilities", row.get("capabilities", [])), *row.get("adds", [])}
        unknown = names.difference(CAPABILITIES)
        assert not unknown, f"{model_id}: {unknown} are no capabilities"
        return "{" + ", ".join(flag(name in names) for name in CAPABILITIES) + "}"

    def model(self, summary, facts):
        """A Model: what the id promises. The seed's limits fill what `facts` lacks."""
        limits = self.limits.get(summary["modelId"], {})
        tokens = [str(facts.get(name, limits.get(name, "{}")))
                  for name in ("contextTokens", "maxOutputTokens")]
        on_demand = "ON_DEMAND" in summary["inferenceTypesSupported"]
        streaming = summary.get("responseStreamingSupported", False)
        text = "TEXT" in summary["outputModalities"]
        return "{" + ", ".join([literal(summary["modelId"]), literal(summary["providerName"]),
                                *tokens, flag(on_demand), flag(streaming), flag(text),
                                self.capabilities(summary["modelId"], facts)]) + "}"

    def end_of_life(self, summary, facts):
        """The end as C++, and whether the model outlived it somewhere."""
        time = summary["modelLifecycle"].get("endOfLifeTime")
        if time is None:
            return ("never" if facts.get("servedToday", True) else "long_ago"), False
        outlived = facts["servedToday"] and unix_seconds(time) <= unix_seconds(LISTS_TAKEN)
        return str(unix_seconds(time)), outlived

    def model_row(self, summary, facts):
        text = json.dumps(summary, ensure_ascii=False, separators=(",", ":"))
        assert text.startswith(ARN_HEAD), f"{summary['modelId']}: modelArn of us-east-1 comes first"
        listed = facts.get("listedRegions", [])
        served = {*listed, *facts.get("regions", []), *facts.get("lastKnownRegions", [])}
        end, outlived = self.end_of_life(summary, facts)
        return "    {" + ",\n     ".join([
            self.model(summary, facts),
            literal(text[len(ARN_HEAD):]),
            self.names(summary["outputModalities"]),
            self.names(summary["inferenceTypesSupported"]),
            self.names(summary["customizationsSupported"]),
            f"{self.region_set(listed)}, {self.region_set(served)}, {end}, {flag(outlived)}",
        ]) + "},"

    def route(self, route):
        everywhere = route["destinationRegions"] == ["*"]
        destinations = [] if everywhere else route["destinationRegions"]
        return (f"{{{self.region_set(route['sourceRegions'])}, {self.region_set(destinations)}, "
                f"{flag(everywhere)}}}")

    def profile_row(self, profile, index_of_model):
        sources = {name for route in profile["routes"] for name in route["sourceRegions"]}
        routes = self.routes.span([self.route(route) for route in profile["routes"]])
        return "    {" + ", ".join([
            literal(profile["inferenceProfileId"]), literal(profile["inferenceProfileName"]),
            literal(profile["prefix"]), f"&today_rows[{index_of_model[profile['modelId']]}]",
            flag(profile["servedToday"]), self.region_set(sources), routes,
        ]) + "},"

    def lines(self):
        seed = [self.model_row(summary, {}) for summary in self.seed]
        today = [self.model_row(entry["summary"], entry["facts"]) for entry in self.today]
        index = {entry["summary"]["modelId"]: i for i, entry in enumerate(self.today)}
        profiles = [self.profile_row(profile, index) for profile in self.profiles]
        yield "// Made by tables.py of the files in data/: change those."
        yield '#include "catalog/tables.h"\n'
        yield "namespace craton::catalog::tables {\nnamespace {\n"
        yield f"constexpr std::string_view region_names[] = {{{', '.join(map(literal, self.regions))}}};"
        yield from self.texts.definitions()
        yield from self.routes.definitions()
        for kind, name, rows in (("ModelRow", "seed_rows", seed), ("ModelRow", "today_rows", today),
                                 ("ProfileRow", "profile_rows", profiles)):
            yield f"\nconstexpr {kind} {name}[] = {{"
            yield from rows
            yield "};"
        yield "\n}  // namespace\n"
        yield "Names regions() { return region_names; }"
        yield "std::span<const ModelRow> seed_models() { return seed_rows; }"
        yield "std::span<const ModelRow> today_models() { return today_rows; }"
        yield "std::span<const ProfileRow> profiles() { return profile_rows; }"
        yield f"std::string_view facts_time() {{ return {literal(FACTS_TIME)}; }}"
        yield "\n}  // namespace craton::catalog::tables"


def main():
    data, output = map(pathlib.Path, sys.argv[1:])
    output.write_text("\n".join(Tables(data).lines()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
