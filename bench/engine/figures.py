"""What the runs come to: summaries of outcomes, ratios, the targets, tables of text. No I/O.

A record is a dict: `load`, `side` (SIDES), `repeat`, and the measures of `summary` or the kernels' `decode_per_s`.
"""
import dataclasses
import re
import statistics

SIDES = ("craton", "llama-server", "kernels")
PERCENTS = (50, 95, 99)


def percentile(values, percent):
    """Of a non-empty list, linear between its neighbours."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def spread(values):
    return {f"p{percent}": percentile(values, percent) for percent in PERCENTS} if values else {}


def decode_per_s(answers):
    """Tokens a second while all answers were being made: what the kernels' own programs measure.

    From the last answer's first piece to the first answer's last. An event may carry several tokens, so
    events are weighed by their answer's tokens. None where the answers did not overlap long enough to tell.
    """
    begin = max(answer.times[0] for answer in answers)
    end = min(answer.times[-1] for answer in answers)
    tokens, seen = 0.0, 0
    for answer in answers:
        within = sum(begin < at <= end for at in answer.times)
        seen += within
        tokens += within * answer.tokens / len(answer.times)
    return tokens / (end - begin) if end > begin and seen >= 4 * len(answers) else None


def summary(outcome, peak_rss_mib):
    """The measures of one Outcome (client.py)."""
    answers = [answer for talk in outcome.answers for answer in talk]
    in_time = outcome.answers[:len(outcome.answers) - outcome.late]  # latency is theirs: late ones disturb them
    timed = [answer for talk in in_time for answer in talk]
    gaps = [gap for answer in timed for gap in answer.gaps_s]
    tokens = sum(answer.tokens for answer in answers)
    return {
        "answers": len(answers),
        "tokens": tokens,
        "short": sum(answer.finish != "length" for answer in answers),
        "prompt_tokens": sum(answer.prompt_tokens for answer in answers),
        "prompt_tokens_median": statistics.median(answer.prompt_tokens for answer in answers),
        "cached_tokens": sum(answer.cached_tokens for answer in answers),
        "wall_s": outcome.wall_s,
        "tokens_per_s": tokens / outcome.wall_s,
        "decode_per_s": decode_per_s([talk[0] for talk in in_time]),
        "ttft_s": spread([answer.first_token_s for answer in timed]),
        "gap_s": spread(gaps),
        "worst_gap_s": max(gaps, default=None),
        "peak_rss_mib": peak_rss_mib,
        "client_cpu_share": outcome.client_cpu_s / outcome.wall_s,
        "client_us_per_token": outcome.client_cpu_s / tokens * 1e6,
    }


@dataclasses.dataclass(frozen=True)
class Target:
    """`measure` of Craton's `load` over that of `beside`, and what the ratio should be, where something should."""
    name: str
    load: str
    measure: str
    beside: str  # a side; with `beside_load`, of another load
    bound: str = ""  # "≥" or "≤"
    ratio: float = 0.0
    beside_load: str = ""


# Source: the engine's budgets. Repetitive output has to be won by speculation, shared prompts by a cache.
TARGETS = (
    Target("One stream: decoding, against llama-bench", "single", "decode_per_s", "kernels", "≥", 0.98),
    Target("8 streams: decoding, against llama-batched-bench", "chats-8", "decode_per_s", "kernels", "≥", 0.95),
    Target("32 streams: decoding, against llama-batched-bench", "chats-32", "decode_per_s", "kernels", "≥", 0.95),
    Target("One stream: tokens/s", "single", "tokens_per_s", "llama-server", "≥", 1.0),
    Target("8 independent chats: tokens/s", "chats-8", "tokens_per_s", "llama-server", "≥", 1.0),
    Target("32 independent chats: tokens/s", "chats-32", "tokens_per_s", "llama-server", "≥", 1.0),
    Target("32 independent chats at temperature 0.7: tokens/s", "chance-32", "tokens_per_s", "llama-server"),
    Target("8 with a shared prompt, first time seen: tokens/s", "shared-8", "tokens_per_s", "llama-server", "≥", 2.5),
    Target("32 with a shared prompt, first time seen: tokens/s", "shared-32", "tokens_per_s", "llama-server", "≥", 2.5),
    Target("8 with a shared prompt, cached: tokens/s", "cached-8", "tokens_per_s", "llama-server", "≥", 1.1),
    Target("32 with a shared prompt, cached: tokens/s", "cached-32", "tokens_per_s", "llama-server", "≥", 1.1),
    Target("First token of a cached prefix, against a cold one", "warm", "ttft_s.p50", "craton", "≤", 0.15, "cold"),
    Target("Growing chats: tokens/s", "turns", "tokens_per_s", "llama-server"),
    Target("A long prompt arrives: the running streams' worst gap", "long", "worst_gap_s", "llama-server", "≤", 0.5),
    Target("JSON by a schema: tokens/s", "schema", "tokens_per_s", "llama-server"),
    Target("A code edit, one stream: tokens/s", "edit", "tokens_per_s", "llama-server", "≥", 1.5),
    Target("Extraction, one stream: tokens/s", "extract", "tokens_per_s", "llama-server", "≥", 1.5),
    Target("Two servers on the same cores, 2 streams each: tokens/s", "neighbours", "tokens_per_s", "llama-server"),
)


def measure(record, name):
    """A measure by its name; `ttft_s.p50` looks into a spread. None where it was not measured."""
    value = record
    for part in name.split("."):
        value = value.get(part) if value else None
    return value


def by_repeat(records, load, side, name):
    """{repeat: value} of one measure."""
    return {record["repeat"]: measure(record, name) for record in records
            if record["load"] == load and record["side"] == side and measure(record, name) is not None}


@dataclasses.dataclass(frozen=True)
class Judged:
    target: Target
    mine: float    # medians
    theirs: float
    ratio: float   # the median of each repeat's ratio: neighbours in time, so the machine's drift cancels
    low: float
    high: float

    @property
    def verdict(self):
        ratio = round(self.ratio, 2)  # as it is shown
        hit = {"≥": ratio >= self.target.ratio, "≤": ratio <= self.target.ratio}.get(self.target.bound)
        return {True: "hit", False: "**missed**", None: ""}[hit]


def judge(records, targets=TARGETS):
    """A Judged for every target that was measured on both sides."""
    judged = []
    for target in targets:
        mine = by_repeat(records, target.load, "craton", target.measure)
        theirs = by_repeat(records, target.beside_load or target.load, target.beside, target.measure)
        ratios = [mine[repeat] / theirs[repeat] for repeat in mine if theirs.get(repeat)]
        if ratios:
            judged.append(Judged(target, statistics.median(mine.values()), statistics.median(theirs.values()),
                                 statistics.median(ratios), min(ratios), max(ratios)))
    return judged


def shown(value, name):
    """A value with its unit: times in milliseconds or seconds, rates a second."""
    if value is None:
        return ""
    if "_per_s" in name:
        return f"{value:.1f}/s"
    return f"{value:.2f} s" if value >= 10 else f"{value * 1000:.0f} ms"


def rows(header, body):
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in body])


def beside_shown(records, target):
    """Who stands beside Craton, the kernels by their program's name."""
    if target.beside_load:
        return target.beside_load
    programs = [record["program"] for record in records
                if record["load"] == target.load and record["side"] == target.beside and "program" in record]
    return programs[0] if programs else target.beside


def targets_table(records):
    return rows(("What", "Craton", "Beside it", "Ratio", "Lowest to highest", "Target", ""),
                [(j.target.name, shown(j.mine, j.target.measure),
                  f"{beside_shown(records, j.target)} {shown(j.theirs, j.target.measure)}",
                  f"{j.ratio:.2f} ×", f"{j.low:.2f} to {j.high:.2f}",
                  f"{j.target.bound} {j.target.ratio:g}" if j.target.bound else "", j.verdict)
                 for j in judge(records)])


def short_table(records):
    """What a visitor wants to know: beside llama-server, one line a load."""
    return rows(("Engine, streamed", "Craton", "llama-server", "Ratio"),
                [(j.target.name, shown(j.mine, j.target.measure), shown(j.theirs, j.target.measure),
                  f"{j.ratio:.2f} ×")
                 for j in judge(records) if j.target.beside == "llama-server"])


def median_of(records, load, side, name):
    values = list(by_repeat(records, load, side, name).values())
    return statistics.median(values) if values else None


def spread_shown(records, load, side, name):
    values = [median_of(records, load, side, f"{name}.p{percent}") for percent in PERCENTS]
    return " / ".join(f"{value * 1000:.0f}" for value in values) if None not in values else ""


def loads_table(records):
    """Every load and side with all its measures, medians of the repeats."""
    body = []
    of_gpu = any(record.get("gpu_memory_mib") for record in records)
    for load in dict.fromkeys(record["load"] for record in records):
        for side in SIDES:
            rates = list(by_repeat(records, load, side, "tokens_per_s").values())
            decode = median_of(records, load, side, "decode_per_s")
            if not rates and decode is None:
                continue
            worst = median_of(records, load, side, "worst_gap_s")
            memory = [median_of(records, load, side, name)
                      for name in ["peak_rss_mib"] + ["gpu_memory_mib"] * of_gpu]
            body.append((load, side,
                         f"{statistics.median(rates):.1f} ({min(rates):.1f} to {max(rates):.1f})" if rates else "",
                         f"{decode:.1f}" if decode is not None else "",
                         spread_shown(records, load, side, "ttft_s"), spread_shown(records, load, side, "gap_s"),
                         f"{worst * 1000:.0f}" if worst is not None else "",
                         *(f"{mib:.0f}" if mib is not None else "" for mib in memory)))
    return rows(("Load", "Side", "Tokens/s (lowest to highest)", "Decoding, tokens/s",
                 "First token, ms: p50 / p95 / p99", "Between pieces, ms: p50 / p95 / p99", "Worst gap, ms",
                 "Peak memory, MiB", *["Of the GPU, MiB"] * of_gpu), body)


def client_note(records):
    shares = [record["client_cpu_share"] for record in records if "client_cpu_share" in record]
    costs = [record["client_us_per_token"] for record in records if "client_us_per_token" in record]
    return (f"The client took {statistics.median(shares):.1%} of one core (at most {max(shares):.1%}), "
            f"{statistics.median(costs):.0f} µs a token.") if shares else ""


def put_between(text, begin, end, new):
    """`text` with what is between the lines `begin` and `end` replaced; each must be there once."""
    parts = re.split(f"({re.escape(begin)}\n|{re.escape(end)})", text)
    if len(parts) != 5 or parts[1].rstrip("\n") != begin or parts[3] != end:
        raise ValueError(f"not once each, in this order: {begin} and {end}")
    return parts[0] + parts[1] + new.rstrip("\n") + "\n" + parts[3] + parts[4]
