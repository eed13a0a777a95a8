// Calls for vectors and pictures, recorded and replayed in the form of the provider.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/base64.h"
#include "base/log.h"
#include "engines/replay/library.h"
#include "engines/replay/recorder.h"
#include "engines/replay/request_key.h"

namespace craton::engines::replay {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view titan = "amazon.titan-embed-text-v2:0";

std::string key(const NativeCall& native, const std::vector<std::string_view>& ignored = {},
                std::string_view model = titan) {
  std::vector<rules::JsonPath> paths;
  for (const std::string_view path : ignored) paths.push_back(*rules::JsonPath::parse(path));
  return key_of(canonical_request(model, native, paths));
}

std::string in_base64(const std::string& bytes) {
  std::string text;
  append_base64(bytes, text);
  return text;
}

TEST(NativeKey, IsOfTheBody) {
  EXPECT_EQ(key({R"({"a":1,"b":[2]})", ""}), key({R"( {"b":[2], "a":1})", "application/json"}));
  EXPECT_EQ(key({R"({"a":1,"b":null})", "*/*"}), key({R"({"a":1})", ""}));
  EXPECT_NE(key({R"({"a":1})", ""}), key({R"({"a":2})", ""}));
  EXPECT_NE(key({R"({"a":1})", ""}), key({R"({"a":1})", ""}, {}, "another"));
  EXPECT_NE(key({R"({"a":1})", ""}), key({R"({"a":1})", "image/png"})) << "a file is no JSON";
  EXPECT_EQ(key({R"({"a":1,"c":{"seed":7}})", ""}, {"body.c.seed"}),
            key({R"({"a":1,"c":{"seed":8}})", ""}, {"body.c.seed"}));
}

TEST(NativeKey, HoldsHashesOfFiles) {
  const std::string one = in_base64(std::string(3000, '\1'));
  const std::string other = in_base64(std::string(3000, '\2'));
  const auto body = [](const std::string& image) { return R"({"image":")" + image + "\"}"; };
  EXPECT_NE(key({body(one), ""}), key({body(other), ""}));
  const json::value form = canonical_request(titan, NativeCall{body(one), ""}, {});
  EXPECT_LT(json::to_text(form).size(), 300u);
  EXPECT_EQ(key({body("data:image/png;base64," + one), ""}), key({body(one), ""}));
  const std::string words(600, ' ');
  EXPECT_THAT(json::to_text(canonical_request(titan, NativeCall{body(words), ""}, {})),
              HasSubstr(words));
}

Interaction interaction_with(NativeReply reply) {
  return {"InvokeModel",
          "llama",
          "minilm",
          "2026-11-26T12:00:00Z",
          R"({"body":{"inputText":"hi"},"model":"m"})",
          {},
          TimedReply{12ms, std::move(reply)}};
}

TEST(NativeCassette, ReadsWhatItWrote) {
  const NativeReply replies[] = {
      {.body = R"({"embedding":[0.25,-0.0000001],"inputTextTokenCount":2})",
       .input_tokens = 0,
       .stand_in = "384 numbers mapped to 1024"},
      {.body = std::string("\x89PNG\0\n", 6),
       .content_type = "image/png",
       .headers = {{"Seed", "5"}, {"Finish-Reason", "SUCCESS"}}},
      {.body = "no JSON, whatever it says"},
  };
  for (const NativeReply& reply : replies) {
    const std::string line = line_of(interaction_with(reply));
    EXPECT_THAT(line, Not(HasSubstr("\n")));
    const auto read = interaction_of(line);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->reply->reply, reply) << line;
    EXPECT_EQ(read->reply->at, 12ms);
    EXPECT_EQ(line_of(*read), line);
  }
}

TEST(NativeCassette, SaysWhatIsWrong) {
  const auto refusal = [](const std::string& rest, const std::string& request = R"({"body":{}})") {
    const auto read = interaction_of("{\"request\":" + request +
                                     R"(,"operation":"o","engine":"e","engineModel":"m",)"
                                     R"("recorded":"r",)" +
                                     rest + "}");
    return read ? std::string() : read.error().message;
  };
  EXPECT_EQ(refusal(R"("reply":{"at":1,"body":{}})"), "");
  EXPECT_EQ(refusal(R"("events":[{"at":1,"failure":"ThrottlingException","message":"m"}])"), "");
  EXPECT_THAT(refusal(R"("reply":{"at":1,"body":{}})", "{}"), HasSubstr("has no 'body'"));
  EXPECT_THAT(refusal(R"("reply":{"at":1,"body":{}},"events":[])"), HasSubstr("both"));
  EXPECT_THAT(refusal(R"("events":[{"at":0,"start":{}},{"at":1,"usage":{}}])"),
              HasSubstr("answered by a 'reply'"));
  EXPECT_THAT(refusal(R"("reply":[])"), HasSubstr("'reply': it must be an object"));
  EXPECT_THAT(refusal(R"("reply":{"at":1})"), HasSubstr("needs a 'body'"));
  EXPECT_THAT(refusal(R"("reply":{"at":1,"body":"x"})"), HasSubstr("'body' must be an object"));
  EXPECT_THAT(refusal(R"("reply":{"base64":"x"})"), HasSubstr("needs a 'body'"));
  EXPECT_THAT(refusal(R"("reply":{"body":{},"base64":""})"), HasSubstr("'base64' absent"));
  EXPECT_THAT(refusal(R"("reply":{"body":{},"headers":{"a b":"c"}})"), HasSubstr("'headers'"));
  EXPECT_THAT(refusal(R"("reply":{"body":{},"headers":{"a":"c\r\nd"}})"), HasSubstr("'headers'"));
  EXPECT_THAT(refusal(R"("reply":{"body":{},"contentType":"a\nb"})"), HasSubstr("one line"));
  EXPECT_THAT(refusal(R"("reply":{"body":{},"inputTokens":-1})"), HasSubstr("'inputTokens'"));
}

class NativeFolder : public testing::Test {
 protected:
  NativeFolder() {
    log::set_level(log::Level::off);
    std::string pattern =
        (std::filesystem::temp_directory_path() / "craton-replay-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~NativeFolder() override { std::filesystem::remove_all(folder); }

  Recorder::Take begin(const std::string& body) {
    if (!recorder) recorder = *Recorder::open(folder, {});
    return recorder->begin(NativeCall{body, ""}, {"InvokeModel", titan, "llama", "minilm"});
  }

  /// What is given to a call with that body.
  std::optional<Replying::Outcome> replayed(Library& library, const std::string& body) {
    const NativeCall native{body, ""};
    const Request request{.operation = "InvokeModel",
                          .model_id = titan,
                          .conversation = conversation,
                          .wanted = Wanted::embeddings,
                          .native = &native};
    const auto engine = library.claim(request);
    if (!engine) {
      why_none = library.why_none(request);
      return std::nullopt;
    }
    EXPECT_TRUE(engine->capabilities().native);
    const auto replying = *engine->reply(native, {});
    while (true) {
      if (auto outcome = replying->take()) return outcome;
      std::this_thread::sleep_for(1ms);
    }
  }

  std::filesystem::path folder;
  std::shared_ptr<Recorder> recorder;
  Conversation conversation;
  std::string why_none;
};

TEST_F(NativeFolder, GivesWhatWasRecordedInItsOrder) {
  const NativeReply one{.body = R"({"embedding":[1]})", .input_tokens = 3};
  begin(R"({"inputText":"hi"})").note(one);
  begin(R"({"inputText":"hi"})").note(Failure{{ErrorCode::throttling, "slowly"}, std::nullopt});
  begin(R"({"inputText":"left"})");
  const auto library = *Library::open({.folder = folder});
  EXPECT_EQ(library->size(), 2u) << "what was left is not recorded";
  EXPECT_EQ(**replayed(*library, R"({"inputText":"hi"})"), one);
  EXPECT_EQ((*replayed(*library, R"({"inputText":"hi"})")).error().error.message, "slowly");
  EXPECT_FALSE(replayed(*library, R"({"inputText":"ho"})"));
  EXPECT_THAT(why_none, HasSubstr(R"(differs in body.inputText: "hi" recorded, "ho" asked.)"));
}

TEST_F(NativeFolder, KnowsConversationsFromVectors) {
  append_turn(conversation, Role::user, "hi");
  if (!recorder) recorder = *Recorder::open(folder, {});
  auto take = recorder->begin(conversation, {"Converse", titan, "llama", "qwen"});
  take.note(MessageStart{});
  take.note(Usage{});
  begin(R"({"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7})").note(NativeReply{.body = "{}"});
  const auto library = *Library::open({.folder = folder});
  EXPECT_FALSE(replayed(*library, "{}"));
  EXPECT_THAT(why_none, HasSubstr("differs in body.a: 1 recorded, nothing asked"));
}

TEST_F(NativeFolder, KeepsThePaceThatIsAskedFor) {
  Interaction slow = interaction_with({.body = "{}"});
  slow.request = json::to_text(canonical_request(titan, NativeCall{"{}", ""}, {}));
  slow.reply->at = 60ms;
  std::ofstream(folder / "slow.jsonl") << line_of(slow) << "\n";
  const auto took = [&](double pace) {
    const auto library = *Library::open({.folder = folder, .pace = pace});
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(replayed(*library, "{}"));
    return std::chrono::steady_clock::now() - began;
  };
  EXPECT_GE(took(1), 60ms);
  EXPECT_GE(took(2), 30ms);
  EXPECT_LT(took(0), 60ms);
}

}  // namespace
}  // namespace craton::engines::replay
