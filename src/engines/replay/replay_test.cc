#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/log.h"
#include "engines/replay/library.h"
#include "engines/replay/recorder.h"
#include "engines/replay/request_key.h"

namespace craton::engines::replay {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::string_view haiku = "anthropic.claude-3-haiku-20240307-v1:0";

Conversation asking(std::string text) {
  Conversation conversation;
  append_turn(conversation, Role::user, std::move(text));
  return conversation;
}

std::string key(const Conversation& conversation, const std::vector<std::string_view>& ignored = {},
                std::string_view model = haiku) {
  std::vector<rules::JsonPath> paths;
  for (const std::string_view path : ignored) paths.push_back(*rules::JsonPath::parse(path));
  return key_of(canonical_request(model, conversation, paths));
}

/// A call of a tool, and its result.
Conversation with_call(const std::string& id) {
  Conversation conversation = asking("weather?");
  conversation.turns.push_back(
      {Role::assistant, {ToolUseBlock{id, "get", R"({"toolUseId":"x"})"}}});
  conversation.turns.push_back({Role::user, {ToolResultBlock{id, {TextBlock{"21"}}, false}}});
  return conversation;
}

TEST(RequestKey, IsOfWhatIsAsked) {
  EXPECT_EQ(key(asking("hi")), key(asking("hi")));
  EXPECT_NE(key(asking("hi")), key(asking("ho")));
  EXPECT_NE(key(asking("hi")), key(asking("hi"), {}, "other.model"));
  Conversation hot = asking("hi");
  hot.sampling.temperature = 0.5;
  EXPECT_NE(key(asking("hi")), key(hot));
  EXPECT_EQ(key(asking("hi")), key(hot, {"inferenceConfig.temperature"}));
  Conversation thinking = asking("hi");
  thinking.reasoning.wanted = true;
  EXPECT_NE(key(asking("hi")), key(thinking));
  EXPECT_EQ(key(asking("hi"), {"messages[*].content[0].text"}),
            key(asking("ho"), {"messages[*].content[0].text"}));
}

TEST(RequestKey, NumbersCallsWhoseIdsAreMadeAnew) {
  EXPECT_EQ(key(with_call("tooluse_a")), key(with_call("tooluse_b")));
  Conversation crossed = with_call("tooluse_a");
  std::get<ToolResultBlock>(crossed.turns[2].content[0]).tool_use_id = "another";
  EXPECT_NE(key(with_call("tooluse_a")), key(crossed));
}

TEST(RequestKey, KnowsFilesByTheirBytes) {
  Conversation one = asking("see");
  one.turns[0].content.emplace_back(ImageBlock{"png", "bytes"});
  Conversation other = asking("see");
  other.turns[0].content.emplace_back(ImageBlock{"png", "others"});
  EXPECT_NE(key(one), key(other));
}

TEST(RequestKey, DoesNotDependOnTheOrderOfKeys) {
  const auto left = json::parse(R"({"a":1,"b":{"c":2,"d":[{"e":1,"f":2}]}})");
  const auto right = json::parse(R"({"b":{"d":[{"f":2,"e":1}],"c":2},"a":1})");
  EXPECT_EQ(key_of(*left), key_of(*right));
}

TEST(Differences, NameThePlace) {
  const auto there = json::parse(R"({"a":[{"text":"hi"}],"b":1})");
  const auto asked = json::parse(R"({"a":[{"text":"ho"},2],"c":1})");
  EXPECT_THAT(differences(*there, *asked, 9),
              testing::ElementsAre(R"(a[0].text: "hi" recorded, "ho" asked)",
                                   "a[1]: nothing recorded, 2 asked",
                                   "b: 1 recorded, nothing asked", "c: nothing recorded, 1 asked"));
  EXPECT_EQ(differences(*there, *asked, 2).size(), 2u);
}

std::vector<Event> every_event() {
  MessageStart start;
  start.usage.input_tokens = 12;
  start.prompt_likelihoods = {{"hi", -0.5}};
  return {
      start,
      ReasoningDelta{"hm"},
      TextDelta{"서울", 2, {{"서", -1.25}}},
      ToolUseStart{"get"},
      ToolInputDelta{R"({"a":1})"},
      ToolUseStop{},
      MessageStop{StopReason::stop_sequence, "\n"},
      Usage{
          .input_tokens = 12, .output_tokens = 9, .cache_read_tokens = 3, .cache_write_tokens = 4}};
}

Interaction whole_interaction() {
  Interaction interaction{"Converse",         "llama", "qwen", "2026-11-26T12:00:00Z",
                          R"({"model":"m"})", {}};
  int at = 0;
  for (const Event& event : every_event())
    interaction.events.push_back({Milliseconds(at += 5), event});
  return interaction;
}

TEST(Cassette, ReadsWhatItWrote) {
  const std::string line = line_of(whole_interaction());
  const auto read = interaction_of(line);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(line_of(*read), line);
  EXPECT_EQ(read->events.size(), every_event().size());
  Interaction failed = whole_interaction();
  failed.events.resize(1);
  failed.events.push_back(
      {6ms, Failure{{ErrorCode::model_stream_error, "broke"}, InputTooLong{3, 2}}});
  const auto again = interaction_of(line_of(failed));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(std::get<Failure>(again->events.back().event).input_too_long->input_tokens, 3);
}

TEST(Cassette, SaysWhatIsWrong) {
  const auto refusal = [](std::string events) {
    const auto read = interaction_of(
        R"({"request":{},"operation":"o","engine":"e","engineModel":"m","recorded":"r","events":)" +
        events + "}");
    return read ? std::string() : read.error().message;
  };
  EXPECT_EQ(refusal(R"([{"at":0,"start":{}},{"at":1,"usage":{}}])"), "");
  EXPECT_THAT(refusal("[]"), HasSubstr("begin with 'start'"));
  EXPECT_THAT(refusal(R"([{"at":0,"start":{}}])"), HasSubstr("end with 'usage'"));
  EXPECT_THAT(refusal(R"([{"at":0,"begin":{}}])"), HasSubstr("event 1: it is no event"));
  EXPECT_THAT(refusal(R"([{"at":0,"start":{}},{"at":1,"stop":"bored"}])"), HasSubstr("no reason"));
  EXPECT_THAT(refusal(R"([{"at":3,"start":{}},{"at":1,"usage":{}}])"), HasSubstr("not go back"));
  EXPECT_THAT(refusal(R"([{"at":0,"start":{}},{"at":0,"input":"{}"},{"at":1,"usage":{}}])"),
              HasSubstr("call"));
  EXPECT_THAT(refusal(R"([{"at":-1,"start":{}}])"), HasSubstr("'at' must be"));
  EXPECT_FALSE(interaction_of("{"));
}

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    log::set_level(log::Level::off);
    std::string pattern =
        (std::filesystem::temp_directory_path() / "craton-replay-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~FolderTest() override { std::filesystem::remove_all(folder); }

  void record(const Conversation& conversation, const std::string& text) {
    if (!recorder) recorder = *Recorder::open(folder, {});
    auto take = recorder->begin(conversation, {"Converse", haiku, "llama", "qwen"});
    take.note(MessageStart{});
    take.note(TextDelta{text, 1, {}});
    take.note(MessageStop{});
    take.note(Usage{.input_tokens = 7, .output_tokens = 1});
  }

  static Request request(const Conversation& conversation) {
    return {.operation = "Converse",
            .model_id = haiku,
            .streamed = false,
            .metadata = {},
            .conversation = conversation};
  }

  static std::string answer_of(Engine& engine) {
    const auto generation = *engine.generate({}, {});
    AnswerBuilder builder;
    for (int i = 0; i < 5000 && !builder.complete(); ++i) {
      if (auto event = generation->try_next()) {
        builder.add(std::move(*event));
      } else {
        std::this_thread::sleep_for(1ms);
      }
    }
    return builder.complete() ? builder.take()->text() : "it did not end";
  }

  std::filesystem::path folder;
  std::shared_ptr<Recorder> recorder;
};

TEST_F(FolderTest, GivesWhatWasRecordedInItsOrder) {
  const Conversation hi = asking("hi");
  record(hi, "one");
  record(asking("other"), "else");
  record(hi, "two");
  const auto library = Library::open({.folder = folder});
  ASSERT_TRUE(library) << library.error().message;
  EXPECT_EQ((*library)->size(), 3u);
  const auto engine = (*library)->claim(request(hi));
  ASSERT_TRUE(engine);
  EXPECT_EQ(engine->model(), "qwen");
  EXPECT_EQ(*engine->count_tokens({}), 7);
  EXPECT_EQ(answer_of(*engine), "one");
  EXPECT_EQ(answer_of(*engine), "two");
  EXPECT_EQ(answer_of(*engine), "two") << "past the last, the last";
  (*library)->reset();
  EXPECT_EQ(answer_of(*engine), "one");
}

TEST_F(FolderTest, SaysWhatTheNearestRequestDiffersIn) {
  record(asking("What is granite?"), "A rock.");
  const auto library = *Library::open({.folder = folder});
  const Conversation other = asking("What is basalt?");
  EXPECT_EQ(library->claim(request(other)), nullptr);
  EXPECT_THAT(library->why_none(request(other)),
              HasSubstr(R"(differs in messages[0].content[0].text: "What is granite?" recorded, )"
                        R"("What is basalt?" asked.)"));
}

TEST_F(FolderTest, KeepsThePaceThatIsAskedFor) {
  Interaction slow = whole_interaction();
  for (std::size_t i = 0; i < slow.events.size(); ++i) slow.events[i].at = Milliseconds(i * 20);
  slow.request = json::to_text(canonical_request(haiku, asking("hi"), {}));
  std::ofstream(folder / "slow.jsonl") << line_of(slow) << "\n";
  const auto took = [&](double pace) {
    const auto library = *Library::open({.folder = folder, .pace = pace});
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(answer_of(*library->claim(request(asking("hi")))), "서울");
    return std::chrono::steady_clock::now() - began;
  };
  EXPECT_GE(took(1), 140ms);
  EXPECT_GE(took(2), 70ms);
  EXPECT_LT(took(0), 140ms);
}

TEST_F(FolderTest, RefusesACassetteThatIsBroken) {
  record(asking("hi"), "one");
  std::ofstream(folder / "recorded.jsonl", std::ios::app) << R"({"request":)" << "\n";
  const auto library = Library::open({.folder = folder});
  ASSERT_FALSE(library);
  EXPECT_THAT(library.error().message, HasSubstr("recorded.jsonl:2: "));
  EXPECT_THAT(Library::open({.folder = folder / "none"}).error().message,
              HasSubstr("no such folder"));
}

TEST_F(FolderTest, AFullDiskEndsTheRecordingAndNothingElse) {
  std::filesystem::create_symlink("/dev/full", folder / "recorded.jsonl");
  record(asking("hi"), "one");
  record(asking("hi"), "two");
}

}  // namespace
}  // namespace craton::engines::replay
