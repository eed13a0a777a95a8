#!/usr/bin/env python3
"""The parts of bench/engine that decide what its figures say: the client's reading, summaries, ratios, tables."""
import json
import pathlib
import socket
import sys
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "bench" / "engine"))
import client  # noqa: E402
import figures  # noqa: E402
import loads  # noqa: E402

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def event(value):
    data = b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


def piece(text, finish=None):
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


def usage(tokens, prompt=7):
    return {"choices": [], "usage": {"completion_tokens": tokens, "prompt_tokens": prompt, "total_tokens": 0,
                                     "prompt_tokens_details": {"cached_tokens": 3}}}


WHOLE = (HEAD + event({"choices": [{"index": 0, "delta": {"role": "assistant"}}]}) + event(piece("one ")) +
         event(piece("two")) + event(piece("", "length")) + event(usage(2)) + event(b"[DONE]") + b"0\r\n\r\n")


def received(*pieces, asked=2):
    return client.Received(0.0, {"max_tokens": asked}, list(pieces))


class Reading(unittest.TestCase):
    def test_an_answer_is_the_same_however_its_bytes_are_cut(self):
        for cut in range(1, len(WHOLE)):
            answer = received((1.0, WHOLE[:cut]), (2.0, WHOLE[cut:])).answer
            self.assertEqual((answer.text, answer.tokens, answer.prompt_tokens, answer.cached_tokens, answer.finish),
                             ("one two", 2, 7, 3, "length"))
            self.assertEqual(len(answer.times), 2)

    def test_byte_by_byte_each_piece_has_the_time_at_which_it_was_whole(self):
        answer = received(*((float(at), WHOLE[at:at + 1]) for at in range(len(WHOLE)))).answer
        ends = [WHOLE.index(event(piece(text))) + len(event(piece(text))) - 1 for text in ("one ", "two")]
        self.assertEqual(answer.times, ends)
        self.assertEqual(answer.first_token_s, ends[0])
        self.assertEqual(answer.gaps_s, [ends[1] - ends[0]])

    def test_what_cannot_be_counted_is_refused(self):
        bad = {
            "status": b"HTTP/1.1 429 Too Many\r\nContent-Length: 4\r\n\r\nbusy",
            "not streamed": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            "cut": WHOLE[:-5],
            "empty": HEAD + event(usage(2)) + b"0\r\n\r\n",
            "no usage": HEAD + event(piece("a")) + b"0\r\n\r\n",
            "error": HEAD + event(piece("a")) + event({"error": {"message": "m"}}) + event(usage(1)) + b"0\r\n\r\n",
            "fewer tokens than pieces": HEAD + event(piece("a")) + event(piece("b")) + event(usage(1)) + b"0\r\n\r\n",
            "more tokens than asked for": HEAD + event(piece("a")) + event(usage(3)) + b"0\r\n\r\n",
        }
        for name, data in bad.items():
            with self.subTest(name), self.assertRaises(client.BadAnswer):
                received((1.0, data)).answer

    def test_a_refusal_says_what_the_server_said(self):
        with self.assertRaisesRegex(client.BadAnswer, "429 Too Many: busy"):
            received((1.0, b"HTTP/1.1 429 Too Many\r\n\r\n"), (2.0, b"bu"), (3.0, b"sy")).answer


class FakeServer:
    """Answers every request with `WHOLE`, a connection at a time, and keeps the bodies."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.bodies = self.listener.getsockname()[1], []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as file:
                length = 0
                while (line := file.readline().strip()):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                self.bodies.append(json.loads(file.read(length)))
                connection.sendall(WHOLE)


class Talking(unittest.TestCase):
    def setUp(self):
        self.server = FakeServer()
        self.addCleanup(self.server.listener.close)

    def test_a_chat_sends_back_what_was_said(self):
        outcome = client.run([self.server.port], [client.Talk(loads.chat(["a", "b", "c"], 2))])
        self.assertEqual([len(talk) for talk in outcome.answers], [3])
        self.assertEqual([message["content"] for message in self.server.bodies[-1]["messages"]],
                         ["a", "one two", "b", "one two", "c"])

    def test_each_talk_asks_its_server(self):
        other = FakeServer()
        self.addCleanup(other.listener.close)
        talks = [client.Talk(loads.ask(f"number {number}", 2), server=number % 2) for number in range(4)]
        outcome = client.run([self.server.port, other.port], talks)
        self.assertEqual([len(talk) for talk in outcome.answers], [1, 1, 1, 1])
        for server, asked in ((self.server, {"number 0", "number 2"}), (other, {"number 1", "number 3"})):
            self.assertEqual({body["messages"][0]["content"] for body in server.bodies}, asked)

    def test_a_late_talk_is_the_last_of_the_answers(self):
        talks = [client.Talk(loads.ask("late", 2), after=1), client.Talk(loads.ask("first", 2))]
        outcome = client.run([self.server.port], talks)
        self.assertEqual(outcome.late, 1)
        self.assertEqual([body["messages"][0]["content"] for body in self.server.bodies], ["first", "late"])
        self.assertGreaterEqual(outcome.answers[1][0].sent, outcome.answers[0][0].times[0])


def answer(sent, times, tokens=None, finish="length"):
    return client.Answer(sent=sent, text="x", times=times, tokens=tokens or len(times), prompt_tokens=10,
                         asked=99, finish=finish)


class Summaries(unittest.TestCase):
    def test_percentiles_lie_between_their_neighbours(self):
        for values, percent, expected in (([5], 99, 5), ([1, 3], 50, 2), ([4, 1, 3, 2], 50, 2.5),
                                          (range(101), 95, 95), (range(101), 99, 99), ([1, 2], 0, 1), ([1, 2], 100, 2)):
            self.assertAlmostEqual(figures.percentile(values, percent), expected)

    def test_decoding_is_counted_while_all_decode(self):
        first = answer(0, [float(at) for at in range(1, 21)])   # 1 … 20
        second = answer(0, [float(at) for at in range(11, 31)])  # 11 … 30
        self.assertAlmostEqual(figures.decode_per_s([first, second]), 2.0)  # 11 < t <= 20, both
        self.assertAlmostEqual(figures.decode_per_s([answer(0, [1.0, 2.0, 3.0, 4.0, 5.0])]), 1.0)

    def test_several_tokens_in_an_event_count_as_such(self):
        self.assertAlmostEqual(figures.decode_per_s([answer(0, [1.0, 2.0, 3.0, 4.0, 5.0], tokens=15)]), 3.0)

    def test_answers_that_hardly_overlap_say_nothing_of_decoding(self):
        self.assertIsNone(figures.decode_per_s([answer(0, [1.0, 2.0, 3.0]), answer(0, [9.0, 10.0])]))

    def test_a_late_talk_counts_as_tokens_but_not_as_latency(self):
        steady = answer(0.0, [1.0, 2.0, 3.0])
        late = answer(1.0, [50.0, 90.0], finish="stop")
        outcome = client.Outcome([[steady], [late]], late=1, wall_s=90.0, client_cpu_s=0.9)
        summary = figures.summary(outcome, 100.0)
        self.assertEqual((summary["tokens"], summary["short"], summary["worst_gap_s"]), (5, 1, 1.0))
        self.assertEqual(summary["ttft_s"], {"p50": 1.0, "p95": 1.0, "p99": 1.0})
        self.assertAlmostEqual(summary["client_cpu_share"], 0.01)


def records(load, side, name, *values):
    return [{"load": load, "side": side, "repeat": repeat, name: value} for repeat, value in enumerate(values)]


MORE = figures.Target("more", "a", "tokens_per_s", "llama-server", "≥", 2.0)
LESS = figures.Target("less", "a", "ttft_s.p50", "craton", "≤", 0.5, "b")


class Ratios(unittest.TestCase):
    def test_a_ratio_is_the_median_of_those_within_a_turn(self):
        measured = (records("a", "craton", "tokens_per_s", 20.0, 10.0, 90.0) +
                    records("a", "llama-server", "tokens_per_s", 10.0, 4.0, 30.0))
        [judged] = figures.judge(measured, [MORE])
        self.assertEqual((judged.ratio, judged.low, judged.high), (2.5, 2.0, 3.0))
        self.assertEqual((judged.mine, judged.theirs, judged.verdict), (20.0, 10.0, "hit"))

    def test_a_target_can_be_missed_from_either_side(self):
        for target, mine, verdict in ((MORE, 19.9, "**missed**"), (MORE, 20.0, "hit"), (MORE, 19.96, "hit")):
            measured = records("a", "craton", "tokens_per_s", mine) + records("a", "llama-server", "tokens_per_s", 10.0)
            self.assertEqual(figures.judge(measured, [target])[0].verdict, verdict)
        for mine, verdict in ((0.6, "**missed**"), (0.5, "hit")):
            measured = records("a", "craton", "ttft_s", {"p50": mine}) + records("b", "craton", "ttft_s", {"p50": 1.0})
            self.assertEqual(figures.judge(measured, [LESS])[0].verdict, verdict)

    def test_what_was_measured_on_one_side_only_is_not_judged(self):
        self.assertEqual(figures.judge(records("a", "craton", "tokens_per_s", 1.0), [MORE]), [])
        uneven = records("a", "craton", "tokens_per_s", 1.0, 2.0) + records("a", "llama-server", "tokens_per_s", 1.0)
        self.assertEqual(figures.judge(uneven, [MORE])[0].ratio, 1.0)

    def test_every_target_names_a_load_and_a_side_that_are_measured(self):
        passes = {name for load in loads.LOADS.values() for name, _ in load.passes}
        kernels = {load.passes[0][0] for load in loads.LOADS.values() if load.kernels}
        for target in figures.TARGETS:
            self.assertIn(target.load, passes)
            self.assertIn(target.beside_load or target.load, passes)
            self.assertIn(target.beside, figures.SIDES)
            if target.beside == "kernels":
                self.assertIn(target.load, kernels)


class Tables(unittest.TestCase):
    MEASURED = (records("chats-8", "craton", "tokens_per_s", 30.0) + records("chats-8", "llama-server", "tokens_per_s", 20.0) +
                records("chats-8", "craton", "decode_per_s", 40.0) +
                [{"load": "chats-8", "side": "kernels", "repeat": 0, "decode_per_s": 50.0, "program": "llama-batched-bench"}])

    def test_targets_are_shown_with_hit_and_miss(self):
        table = figures.targets_table(self.MEASURED)
        self.assertIn("| 40.0/s | llama-batched-bench 50.0/s | 0.80 × | 0.80 to 0.80 | ≥ 0.95 | **missed** |", table)
        self.assertIn("| 30.0/s | llama-server 20.0/s | 1.50 × | 1.50 to 1.50 | ≥ 1 | hit |", table)

    def test_every_row_has_as_many_cells_as_the_header(self):
        for table in (figures.targets_table(self.MEASURED), figures.short_table(self.MEASURED),
                      figures.loads_table(self.MEASURED)):
            self.assertGreater(table.count("\n"), 1)
            self.assertEqual(len({line.count("|") for line in table.splitlines()}), 1)

    def test_what_a_gpu_holds_has_a_column_where_it_was_asked(self):
        self.assertNotIn("GPU", figures.loads_table(self.MEASURED))
        table = figures.loads_table([{**record, "gpu_memory_mib": 1657} for record in self.MEASURED])
        self.assertIn("Of the GPU, MiB", table)
        self.assertIn("| 1657 |", table)

    def test_what_is_put_between_markers_replaces_what_was_there(self):
        page = "a\n<!-- b -->\nold\n<!-- e -->\nz\n"
        once = figures.put_between(page, "<!-- b -->", "<!-- e -->", "new")
        self.assertEqual(once, "a\n<!-- b -->\nnew\n<!-- e -->\nz\n")
        self.assertEqual(figures.put_between(once, "<!-- b -->", "<!-- e -->", "new\n"), once)

    def test_markers_that_are_missing_doubled_or_turned_round_are_refused(self):
        for page in ("", "<!-- b -->\n", "<!-- e -->\n<!-- b -->\n", "<!-- b -->\n<!-- e -->\n<!-- b -->\n<!-- e -->\n"):
            with self.subTest(page), self.assertRaises(ValueError):
                figures.put_between(page, "<!-- b -->", "<!-- e -->", "new")

    def test_the_pages_have_the_markers(self):
        script = (ROOT / "bench" / "engine" / "run").read_text(encoding="utf-8")
        begin, end = "<!-- table: written by bench/engine/run --write -->", "<!-- end of engine table -->"
        self.assertIn(f'"{begin}", "{end}"', script)
        for page in ("README.md", "README.ko.md", "docs/performance.md"):
            figures.put_between((ROOT / page).read_text(encoding="utf-8"), begin, end, "new")
        begin, end = "<!-- table: written by bench/engine/run --gpu --write -->", "<!-- end of GPU table -->"
        self.assertIn(f'"{begin}", "{end}"', script)
        figures.put_between((ROOT / "docs" / "performance.md").read_text(encoding="utf-8"), begin, end, "new")


if __name__ == "__main__":
    unittest.main()
