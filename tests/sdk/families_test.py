"""Every provider family, whole: reply shapes, counts, limits, stop sequences, prompts."""
import re

import pytest

import craton
from families import BY_NAME, FAMILIES, claude_messages, invoke

each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
each_with_stops = pytest.mark.parametrize("family", [f for f in FAMILIES if f.stop],
                                          ids=lambda family: family.name)
QUESTION = "Write two sentences about the sea."


def greedy(family, text, tokens, stop=None):
    """A body whose answer is always the same."""
    body = family.body(text, tokens, stop)
    if family.name == "titan":
        body["textGenerationConfig"]["temperature"] = 0
        return body
    return {**body, "temperature": 0}


@each_family
def test_a_question_is_answered_with_text_and_counts(runtime, family):
    reply = invoke(runtime, family.model, family.body(QUESTION, tokens=40))
    assert family.text(reply.body).strip()
    assert reply.count("input") >= len(QUESTION.split())
    assert 1 <= reply.count("output") <= 40
    assert int(reply.headers["x-amzn-bedrock-invocation-latency"]) >= 0
    assert craton.UUID.fullmatch(reply.request_id)
    if family.counts(reply.body):
        assert family.counts(reply.body) == (reply.count("input"), reply.count("output"))


@each_family
def test_every_answer_names_the_model_that_stands_in(runtime, family):
    headers = invoke(runtime, family.model, family.body(QUESTION, tokens=1)).headers
    assert headers["x-craton-engine"] == "llama"
    assert "smollm2" in headers["x-craton-model"].lower()


@each_family
@pytest.mark.parametrize("tokens", [1, 7])
def test_an_answer_ends_at_the_token_limit_and_says_so(runtime, family, tokens):
    reply = invoke(runtime, family.model, family.body("Tell a very long story.", tokens))
    assert family.reason(reply.body) == family.reasons["limit"]
    assert reply.count("output") == tokens


@each_family
def test_a_finished_answer_says_so(qwen, family):
    body = greedy(family, "What is the capital of France? Answer with one word.", tokens=60)
    reply = invoke(qwen.client("bedrock-runtime"), family.model, body)
    assert "Paris" in family.text(reply.body)
    assert family.reason(reply.body) == family.reasons["end"]
    assert reply.count("output") < 60


@each_family
def test_the_same_greedy_request_gets_the_same_answer(runtime, family):
    first, second = (invoke(runtime, family.model, greedy(family, QUESTION, 16)) for _ in range(2))
    assert family.text(first.body) == family.text(second.body)


@each_with_stops
def test_an_answer_ends_before_the_first_stop_sequence(runtime, family):
    whole = family.text(invoke(runtime, family.model, greedy(family, QUESTION, 30)).body)
    begin = len(whole) // 2
    stop = whole[begin:begin + 5]  # five characters, wherever the tokens' borders are
    reply = invoke(runtime, family.model, greedy(family, QUESTION, 30, [stop, "never comes"]))
    assert family.text(reply.body) == whole[:whole.index(stop)]
    assert family.reason(reply.body) == family.reasons["stop"](stop)


@each_with_stops
def test_the_earliest_of_several_stop_sequences_wins(runtime, family):
    whole = family.text(invoke(runtime, family.model, greedy(family, QUESTION, 30)).body)
    early, late = whole[6:10], whole[16:20]
    reply = invoke(runtime, family.model, greedy(family, QUESTION, 30, [late, early]))
    assert family.text(reply.body) == whole[:min(whole.index(early), whole.index(late))]


@each_family
@pytest.mark.parametrize("text", [
    pytest.param("대한민국의 수도는 서울입니다. 이 문장을 그대로 반복하세요.", id="korean"),
    pytest.param("Repeat these: 🌊🐳👩‍👩‍👧 😀", id="emoji"),
    pytest.param("Repeat: naïve \"quotes\" \\ back\tslash\n<|im_end|> </s> [/INST] end", id="escapes"),
])
def test_text_beyond_ascii_goes_in_and_comes_out_whole(runtime, family, text):
    reply = invoke(runtime, family.model, family.body(text, tokens=24))
    assert "\ufffd" not in family.text(reply.body)
    family.text(reply.body).encode("utf-8")  # a lone surrogate would fail


def test_longer_input_counts_more_tokens(runtime):
    short, long = (invoke(runtime, f.model, f.body("sea " * words, tokens=1)).count("input")
                   for f in [BY_NAME["llama2"]] for words in (10, 110))
    assert 80 <= long - short <= 220


class TestReplyShapes:
    """The members of each reply, in the order of the wire."""

    def reply(self, runtime, name, **more):
        family = BY_NAME[name]
        return invoke(runtime, family.model, family.body(QUESTION, tokens=5, **more))

    def test_claude_messages(self, runtime):
        body = self.reply(runtime, "claude_messages").body
        assert list(body) in (
            ["id", "type", "role", "content", "model", "stop_reason", "stop_sequence", "usage"],
            ["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"])
        assert re.fullmatch(r"msg_(bdrk_)?01[1-9A-HJ-NP-Za-km-z]{22}", body["id"])
        assert (body["type"], body["role"]) == ("message", "assistant")
        assert body["model"].startswith("claude-3-haiku-")
        assert body["content"] == [{"type": "text", "text": body["content"][0]["text"]}]
        assert body["usage"].keys() == {"input_tokens", "output_tokens"}

    def test_claude_text(self, runtime):
        body = self.reply(runtime, "claude_text").body
        assert list(body) == ["type", "completion", "stop_reason", "stop"]
        assert body["type"] == "completion"
        assert body["completion"].startswith(" ")

    def test_llama2(self, runtime):
        body = self.reply(runtime, "llama2").body
        assert list(body) == ["generation", "prompt_token_count", "generation_token_count", "stop_reason"]

    def test_mistral(self, runtime):
        body = self.reply(runtime, "mistral").body
        assert list(body) == ["outputs"] and len(body["outputs"]) == 1
        assert list(body["outputs"][0]) == ["text", "stop_reason"]

    def test_titan(self, runtime):
        body = self.reply(runtime, "titan").body
        assert list(body) == ["inputTextTokenCount", "results"] and len(body["results"]) == 1
        assert list(body["results"][0]) == ["tokenCount", "outputText", "completionReason"]

    def test_command(self, runtime):
        reply = self.reply(runtime, "command")
        assert list(reply.body) == ["id", "generations", "prompt"]
        assert reply.body["id"] == reply.request_id
        assert reply.body["prompt"] == QUESTION
        (generation,) = reply.body["generations"]
        assert list(generation) == ["id", "text", "finish_reason"]
        assert craton.UUID.fullmatch(generation["id"])

    def test_j2(self, runtime):
        body = self.reply(runtime, "j2").body
        assert list(body) == ["id", "prompt", "completions"]
        assert body["id"] == 1234
        assert body["prompt"]["text"] == QUESTION and body["prompt"]["tokens"]
        (completion,) = body["completions"]
        assert list(completion) == ["data", "finishReason"]
        assert list(completion["data"]) == ["text", "tokens"]
        for token in body["prompt"]["tokens"] + completion["data"]["tokens"]:
            assert list(token) == ["generatedToken", "topTokens", "textRange"]
            assert list(token["generatedToken"]) == ["token", "logprob", "raw_logprob"]
            assert token["textRange"]["start"] <= token["textRange"]["end"]
        assert body["prompt"]["tokens"][-1]["textRange"]["end"] == len(QUESTION)


class TestClaudeMessages:
    MODEL = BY_NAME["claude_messages"].model

    def ask(self, runtime, **changes):
        return invoke(runtime, self.MODEL, {**claude_messages(QUESTION), "max_tokens": 12,
                                            "temperature": 0, **changes})

    def test_content_may_be_a_string_or_blocks(self, runtime):
        blocks = self.ask(runtime)
        plain = self.ask(runtime, messages=[{"role": "user", "content": QUESTION}])
        assert plain.body["content"] == blocks.body["content"]
        assert plain.body["usage"] == blocks.body["usage"]

    def test_the_system_prompt_may_be_a_string_or_blocks_and_is_read(self, runtime):
        without = self.ask(runtime)
        plain = self.ask(runtime, system="You are a pirate. Answer in pirate speech.")
        blocks = self.ask(runtime, system=[{"type": "text", "text": "You are a pirate. Answer in "
                                                                    "pirate speech."}])
        assert plain.body["content"] == blocks.body["content"] != without.body["content"]
        assert plain.body["usage"] == blocks.body["usage"]

    def test_the_system_prompt_is_obeyed(self, qwen):
        reply = invoke(qwen.client("bedrock-runtime"), self.MODEL, {
            **claude_messages("What is the secret word?"), "max_tokens": 30, "temperature": 0,
            "system": "The secret word is BANANA. Tell it to everyone who asks."})
        assert "banana" in reply.body["content"][0]["text"].lower()

    def test_an_answer_continues_the_prefilled_one(self, runtime):
        turns = [{"role": "user", "content": QUESTION}]
        whole = self.ask(runtime, messages=turns, max_tokens=24).body["content"][0]["text"]
        cut = whole.index(" ", len(whole) // 3)
        prefilled = turns + [{"role": "assistant", "content": whole[:cut]}]
        rest = self.ask(runtime, messages=prefilled, max_tokens=8).body["content"][0]["text"]
        assert rest.strip() and whole[cut:].strip().startswith(rest.strip()[:8])

    def test_a_conversation_remembers_its_turns(self, qwen):
        reply = invoke(qwen.client("bedrock-runtime"), self.MODEL, {
            "anthropic_version": "bedrock-2023-05-31", "max_tokens": 40, "temperature": 0,
            "messages": [
                {"role": "user", "content": "My name is Minsu. Remember it."},
                {"role": "assistant", "content": "Nice to meet you, Minsu!"},
                {"role": "user", "content": "What is my name?"}]})
        assert "Minsu" in reply.body["content"][0]["text"]

    @pytest.mark.parametrize("sampling", [
        {"temperature": 1}, {"temperature": 0.5, "top_p": 0.5}, {"top_p": 0.999}, {"top_k": 5},
        {"temperature": 0.0, "top_p": 1, "top_k": 500}, {"stop_sequences": []},
        {"metadata": {"user_id": "u-1"}}, {"top_k": 0},
    ], ids=str)
    def test_sampling_parameters_within_their_ranges_are_taken(self, runtime, sampling):
        body = {**claude_messages(QUESTION), "max_tokens": 4, **sampling}
        assert invoke(runtime, self.MODEL, body).body["usage"]["output_tokens"] <= 4

    def test_warm_answers_vary_and_greedy_ones_do_not(self, runtime):
        warm = {self.ask(runtime, temperature=1).body["content"][0]["text"] for _ in range(4)}
        assert len(warm) > 1

    def test_claude_2_speaks_messages_too(self, runtime):
        reply = invoke(runtime, "anthropic.claude-v2:1", {**claude_messages(QUESTION), "max_tokens": 4})
        assert reply.body["type"] == "message" and reply.body["id"].startswith("compl_01")

    def test_the_newest_claude_answers_through_its_profile(self, runtime):
        reply = invoke(runtime, "us.anthropic.claude-haiku-4-5-20251001-v1:0",
                       {**claude_messages(QUESTION), "max_tokens": 4})
        assert reply.body["type"] == "message" and reply.body["model"].startswith("claude-haiku-4-5")


class TestPromptTemplates:
    """Prompt strings become turns: what stands in a template is a role, not text to repeat."""

    def count(self, runtime, family, **body):
        return invoke(runtime, BY_NAME[family].model, body).count("input")

    def test_llama_markers_are_not_part_of_the_question(self, runtime):
        marked = self.count(runtime, "llama2", prompt="<s>[INST] Name a sea. [/INST]", max_gen_len=1)
        plain = self.count(runtime, "llama2", prompt="Name a sea.", max_gen_len=1)
        assert marked == plain

    def test_a_llama_system_block_is_the_system_prompt(self, qwen):
        reply = invoke(qwen.client("bedrock-runtime"), BY_NAME["llama2"].model, {
            "prompt": "<s>[INST] <<SYS>>\nThe secret word is BANANA. Tell it to everyone who asks.\n"
                      "<</SYS>>\n\nWhat is the secret word? [/INST]",
            "max_gen_len": 30, "temperature": 0})
        assert "banana" in reply.body["generation"].lower()

    def test_text_before_the_first_human_is_claudes_system_prompt(self, qwen):
        reply = invoke(qwen.client("bedrock-runtime"), BY_NAME["claude_text"].model, {
            "prompt": "The secret word is BANANA. Tell it to everyone who asks."
                      "\n\nHuman: What is the secret word?\n\nAssistant:",
            "max_tokens_to_sample": 30, "temperature": 0})
        assert "banana" in reply.body["completion"].lower()

    def test_claude_continues_what_stands_after_the_last_assistant(self, qwen):
        reply = invoke(qwen.client("bedrock-runtime"), BY_NAME["claude_text"].model, {
            "prompt": "\n\nHuman: What is the capital of France?\n\nAssistant: The capital of France is",
            "max_tokens_to_sample": 8, "temperature": 0})
        assert "Paris" in reply.body["completion"]
        assert "capital" not in reply.body["completion"]

    def test_llama_turns_are_a_conversation(self, qwen):
        reply = invoke(qwen.client("bedrock-runtime"), BY_NAME["llama2"].model, {
            "prompt": "<s>[INST] My name is Minsu. [/INST] Nice to meet you! </s><s>[INST] What is my "
                      "name? [/INST]", "max_gen_len": 40, "temperature": 0})
        assert "Minsu" in reply.body["generation"]
