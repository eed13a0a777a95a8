"""/metrics, read by Prometheus's own parsers, and what docs/metrics.md says of it."""
import json
import re
import time
import urllib.request

import prometheus_client.openmetrics.parser
import prometheus_client.parser
import pytest

import craton
import http2
import wire
from families import claude_messages

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
# What Prometheus 3 sends.
PROMETHEUS = ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
              "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,"
              "text/plain;version=0.0.4;q=0.3,*/*;q=0.2")


def fetch(server, accept="text/plain"):
    request = urllib.request.Request(server.url + "/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=craton.patience(10)) as answer:
        assert answer.status == 200
        return answer.headers["Content-Type"], answer.read().decode()


def scrape(server):
    """The families of a page by name."""
    content_type, text = fetch(server)
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    return {family.name: family
            for family in prometheus_client.parser.text_string_to_metric_families(text)}


def samples(families):
    return [sample for family in families.values() for sample in family.samples]


def value(families, name, **labels):
    """The sum of all samples of that name with those labels."""
    return sum(sample.value for sample in samples(families) if sample.name == name
               and all(sample.labels.get(label, "") == wanted for label, wanted in labels.items()))


def ask(server, **changes):
    body = {**claude_messages("Count from 1 to 100."), "max_tokens": 12, "temperature": 0, **changes}
    with wire.Connection(server, timeout=90) as connection:
        return connection.send(wire.request("POST", f"/model/{HAIKU}/invoke", json.dumps(body))).read()


@pytest.fixture
def busy():
    """A server of its own, so that nobody else's requests are counted."""
    with craton.serving("--model", craton.SMOL, "--parallel", "2") as server:
        yield server.wait_ready()


class TestForm:
    def test_both_forms_say_the_same(self, smol):
        ask(smol)
        _, plain = fetch(smol)
        content_type, open_text = fetch(smol, OPENMETRICS)
        assert content_type == OPENMETRICS + "; charset=utf-8"
        assert open_text.endswith("# EOF\n")
        plain = {family.name: family.type for family in
                 prometheus_client.parser.text_string_to_metric_families(plain)}
        opened = {family.name: family.type for family in
                  prometheus_client.openmetrics.parser.text_string_to_metric_families(open_text)}
        assert plain == opened

    def test_prometheus_gets_openmetrics(self, bare):
        assert fetch(bare, PROMETHEUS)[0].startswith("application/openmetrics-text")

    def test_whoever_does_not_care_gets_text(self, bare):
        assert fetch(bare, "*/*")[0].startswith("text/plain; version=0.0.4")

    def test_every_metric_is_declared_once_with_help_and_type(self, smol):
        _, text = fetch(smol)
        helps = re.findall(r"^# HELP (\S+) \S.*$", text, re.M)
        types = re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram)$", text, re.M)
        assert helps == types and len(set(helps)) == len(helps)

    def test_no_series_is_there_twice(self, smol):
        ask(smol)
        keys = [(sample.name, tuple(sorted(sample.labels.items())))
                for sample in samples(scrape(smol))]
        assert len(set(keys)) == len(keys)

    def test_histograms_are_whole(self, smol):
        ask(smol)
        found = 0
        for family in scrape(smol).values():
            if family.type != "histogram":
                continue
            for total in (s for s in family.samples if s.name.endswith("_count")):
                buckets = [s for s in family.samples if s.name.endswith("_bucket")
                           and {k: v for k, v in s.labels.items() if k != "le"} == total.labels]
                counts = [s.value for s in buckets]
                assert counts == sorted(counts)
                assert buckets[-1].labels["le"] == "+Inf" and counts[-1] == total.value
                found += 1
        assert found > 5


class TestRoute:
    def test_head_has_no_body(self, bare):
        with wire.Connection(bare) as connection:
            connection.send(wire.request("HEAD", "/metrics", headers=["Connection: close"]))
            head, body = connection.read_all().split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 200 ") and body == b""

    def test_other_methods_are_not_its_own(self, bare):
        assert wire.ask(bare, "POST", "/metrics").status == wire.ask(bare, "POST", "/health").status

    def test_http_2(self, bare):
        with http2.Connection(bare) as connection:
            answer = connection.ask("GET", "/metrics")
            assert answer.status == 200 and b"craton_build_info{" in answer.body
            assert connection.ask("HEAD", "/metrics").body == b""

    def test_a_query_does_not_matter(self, bare):
        assert bare.get("/metrics?collect[]=all") == 200
        assert bare.get("/metricsx") == 404


class TestNumbers:
    def test_requests_and_tokens_are_counted(self, busy):
        before = scrape(busy)
        answers = [json.loads(ask(busy).body) for _ in range(3)]
        tokens = sum(answer["usage"]["output_tokens"] for answer in answers)
        after = scrape(busy)
        until = time.monotonic() + craton.patience(5)

        def grown(name, **labels):
            return value(after, name, **labels) - value(before, name, **labels)

        # An engine tells what it did when its step is over: the answer may be there a moment before.
        while grown("craton_engine_generated_tokens_total") < tokens and time.monotonic() < until:
            after = scrape(busy)
        prompts = sum(answer["usage"]["input_tokens"] for answer in answers)
        answered = {"gen_ai_operation_name": "chat", "gen_ai_provider_name": "aws.bedrock",
                    "gen_ai_request_model": HAIKU}
        assert grown("craton_http_requests_total", operation="InvokeModel", status="200") == 3
        assert grown("craton_http_request_seconds_count", operation="InvokeModel") == 3
        assert grown("gen_ai_server_request_duration_seconds_count", error_type="", **answered) == 3
        assert grown("gen_ai_server_time_to_first_token_seconds_count", **answered) == 3
        assert grown("gen_ai_server_time_per_output_token_seconds_count", **answered) == 3
        assert grown("gen_ai_client_token_usage_sum", gen_ai_token_type="output") == tokens
        assert grown("gen_ai_client_token_usage_sum", gen_ai_token_type="input") == prompts
        assert grown("craton_engine_prompt_tokens_total") == prompts
        assert grown("craton_engine_generated_tokens_total") >= tokens
        assert 0 < grown("craton_engine_prefix_hit_tokens_total") < prompts  # asked three times
        assert grown("craton_inter_token_seconds_count") <= tokens
        assert grown("craton_engine_step_seconds_count") > 0
        assert grown("craton_http_sent_bytes_total") > 1000
        assert grown("process_cpu_seconds_total") > 0

    def test_times_are_those_that_the_caller_sees(self, busy):
        started = time.monotonic()
        ask(busy, max_tokens=60)
        took = time.monotonic() - started
        page = scrape(busy)
        duration = value(page, "gen_ai_server_request_duration_seconds_sum")
        first = value(page, "gen_ai_server_time_to_first_token_seconds_sum")
        gaps = value(page, "craton_inter_token_seconds_sum")
        assert 0 < first < duration <= took
        assert first + gaps == pytest.approx(duration, rel=0.2)

    def test_the_engine_is_at_rest_when_nobody_asks(self, busy):
        ask(busy)
        deadline = time.monotonic() + craton.patience(5)
        while value(scrape(busy), "craton_engine_running") and time.monotonic() < deadline:
            time.sleep(0.05)
        page = scrape(busy)
        for name in ("queue_length", "running", "kv_cells_used"):
            assert value(page, "craton_engine_" + name) == 0, name
        assert value(page, "craton_engine_ready", engine="llama") == 1
        assert 0 < value(page, "craton_engine_kv_cells_kept") <= value(page, "craton_engine_kv_cells")

    def test_refusals_are_counted_by_what_they_are(self, busy):
        wire.ask(busy, "POST", f"/model/{HAIKU}/invoke", "{}")
        wire.ask(busy, "POST", "/model/no.such-model/invoke", "{}")
        wire.ask(busy, "GET", "/custom-models")
        with wire.Connection(busy) as connection:
            assert connection.send(b"NONSENSE\r\n\r\n").read().status == 400
        page = scrape(busy)
        duration = "gen_ai_server_request_duration_seconds_count"
        assert value(page, duration, error_type="ValidationException", gen_ai_request_model=HAIKU) == 1
        assert value(page, duration, error_type="ValidationException",
                     gen_ai_request_model="_OTHER") == 1
        requests = "craton_http_requests_total"
        assert value(page, requests, operation="ListCustomModels", status="501") == 1
        assert value(page, requests, operation="_OTHER", status="400") == 1

    def test_a_caller_who_leaves_is_counted_as_such(self, busy):
        body = json.dumps({**claude_messages("Tell a long story."), "max_tokens": 400})
        with wire.Connection(busy) as connection:
            connection.send(wire.request("POST", f"/model/{HAIKU}/invoke", body))
            time.sleep(0.3)
        deadline = time.monotonic() + craton.patience(10)
        while time.monotonic() < deadline:
            page = scrape(busy)
            if value(page, "craton_http_requests_total", status="499") == 1:
                break
            time.sleep(0.05)
        assert value(page, "craton_http_requests_total", status="499") == 1
        assert value(page, "craton_http_requests_total", status="500") == 0
        assert value(page, "gen_ai_server_request_duration_seconds_count",
                     error_type="caller_left") == 1

    def test_connections_are_counted_while_they_are_open(self, bare):
        before = value(scrape(bare), "craton_http_connections")
        with wire.Connection(bare) as one, wire.Connection(bare) as two:
            for connection in (one, two):
                connection.send(wire.request("GET", "/health")).read()
            assert value(scrape(bare), "craton_http_connections") >= before + 2

    def test_clients_cannot_make_series(self, bare):
        def series():
            return len(samples(scrape(bare)))
        wire.ask(bare, "POST", "/model/made-up.0/invoke", "{}")
        wire.ask(bare, "GET", "/made-up/0")
        series()  # of /metrics itself
        before = series()
        for i in range(1, 40):
            wire.ask(bare, "POST", f"/model/made-up.{i}/invoke", "{}")
            wire.ask(bare, "GET", f"/made-up/{i}")
            wire.ask(bare, f"MADEUP{i}", "/health")
        assert series() == before


class TestDocumentation:
    ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", re.M)

    def documented(self):
        text = (craton.SOURCE / "docs" / "metrics.md").read_text(encoding="utf-8")
        return {name: (kind, set(re.findall(r"`(\w+)`", labels)))
                for name, kind, labels in self.ROW.findall(text)}

    @staticmethod
    def served_by(server):
        served = {}
        for name, family in scrape(server).items():
            name += "_total" if family.type == "counter" else ""
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            served[name] = (family.type, labels)
        return served

    def test_names_every_metric_its_type_and_its_labels(self, smol):
        ask(smol)
        ask(smol, max_tokens=-1)
        body = json.dumps({**claude_messages("Tell a long story."), "max_tokens": 400})
        with wire.Connection(smol) as connection:
            connection.send(wire.request(
                "POST", f"/model/{HAIKU}/invoke-with-response-stream", body))
            assert connection.read_all(17) == b"HTTP/1.1 200 OK\r\n"
        served = {}
        for _ in range(craton.patience(100)):
            served = self.served_by(smol)
            if served["craton_http_broken_streams_total"][1]:
                break
            time.sleep(0.05)
        # There are rows of replicas where other servers answer, be they there or not; of quotas
        # where one has refused.
        with craton.serving("--model", "upstream:http://127.0.0.1:1", "--quota", "*=1tpm") as other:
            ask(other)
            served |= {name: row for name, row in self.served_by(other).items()
                       if name.startswith(("craton_replica_", "craton_throttled_"))}
        assert served == self.documented()
