#include "event_stream/bedrock_events.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "event_stream/message.h"

namespace craton::event_stream {
namespace {

namespace fs = std::filesystem;

Message decoded(std::string_view wire) {
  Decoder decoder;
  decoder.feed(wire);
  auto message = decoder.next();
  EXPECT_TRUE(message && *message);
  EXPECT_TRUE(decoder.at_boundary()) << "more than one message";
  return message && *message ? **std::move(message) : Message{};
}

TEST(BedrockEvents, AnEventNamesItsTypeFirst) {
  std::string out;
  ASSERT_TRUE(append_event("messageStart", R"({"role":"assistant"})", out));
  const Message expected{.headers = {{":event-type", "messageStart"},
                                     {":content-type", "application/json"},
                                     {":message-type", "event"}},
                         .payload = R"({"role":"assistant"})"};
  EXPECT_TRUE(decoded(out) == expected);
}

TEST(BedrockEvents, AnExceptionNamesItsTypeFirst) {
  std::string out;
  ASSERT_TRUE(append_exception("throttlingException", R"({"message":"Too many."})", out));
  const Message expected{.headers = {{":exception-type", "throttlingException"},
                                     {":content-type", "application/json"},
                                     {":message-type", "exception"}},
                         .payload = R"({"message":"Too many."})"};
  EXPECT_TRUE(decoded(out) == expected);
}

TEST(BedrockEvents, AChunkCarriesTheNativeJsonAsBase64) {
  std::string out;
  ASSERT_TRUE(append_chunk(R"({"outputText":"Hi"})", "abc", out));
  const Message chunk = decoded(out);
  EXPECT_EQ(chunk.payload, R"({"bytes":"eyJvdXRwdXRUZXh0IjoiSGkifQ==","p":"abc"})");
  EXPECT_EQ(chunk.headers[0].value, "chunk");
  // What real ones have: recorded header blocks are of 75 bytes.
  EXPECT_EQ(out.size(), overhead + 75 + chunk.payload.size());
}

TEST(BedrockEvents, AChunkWithoutPaddingHasNoMemberForIt) {
  std::string out;
  ASSERT_TRUE(append_chunk("{}", "", out));
  EXPECT_EQ(decoded(out).payload, R"({"bytes":"e30="})");
}

TEST(BedrockEvents, FollowEachOther) {
  std::string out;
  ASSERT_TRUE(append_chunk("{}", "", out));
  const std::size_t first = out.size();
  ASSERT_TRUE(append_event("messageStop", "{}", out));
  EXPECT_EQ(decoded(std::string_view(out).substr(first)).headers[0].value, "messageStop");
}

TEST(BedrockEvents, LeaveTheBufferAloneWhenTheyFail) {
  std::string out = "before";
  const std::string big(max_message, 'x');
  EXPECT_FALSE(append_event("messageStop", big, out));
  EXPECT_FALSE(append_exception(std::string(max_header_value + 1, 'x'), "{}", out));
  EXPECT_FALSE(append_chunk(big, "", out));
  EXPECT_EQ(out, "before");
}

TEST(Padding, HasEveryLengthFrom2To61AndNoOther) {
  std::set<std::size_t> sizes;
  for (std::uint64_t random = 0; random < 1000; ++random) {
    const std::string_view text = padding(random);
    EXPECT_TRUE(std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
                    .starts_with(text));
    sizes.insert(text.size());
  }
  EXPECT_EQ(*sizes.begin(), 2U);
  EXPECT_EQ(*sizes.rbegin(), 61U);
  EXPECT_EQ(sizes.size(), 60U);
  EXPECT_LE(padding(~std::uint64_t{0}).size(), 61U);
}

// tests/golden/event_stream holds streams of each kind; tests/sdk/event_stream_test.py has botocore
// read the same files.
struct Stream {
  std::string name;
  void (*write)(std::string& out);
};

void PrintTo(const Stream& stream, std::ostream* out) { *out << stream.name; }

const Stream streams[] = {
    {"chunks",
     [](std::string& out) {
       (void)append_chunk(R"({"outputText":"서울","index":0})", padding(0), out);
       (void)append_chunk(R"({"outputText":"\u0000\"","completionReason":"FINISH"})", padding(59),
                          out);
       (void)append_chunk("{}", "", out);
     }},
    {"converse",
     [](std::string& out) {
       (void)append_event("messageStart", R"({"role":"assistant","p":"ab"})", out);
       (void)append_event("contentBlockDelta",
                          R"({"contentBlockIndex":0,"delta":{"text":"Bonjour à tous"},"p":"abc"})",
                          out);
       (void)append_event("contentBlockStop", R"({"contentBlockIndex":0,"p":"abcd"})", out);
       (void)append_event("messageStop", R"({"stopReason":"end_turn","p":"abcde"})", out);
     }},
    {"exception",
     [](std::string& out) {
       (void)append_chunk(R"({"outputText":"H"})", "ab", out);
       (void)append_exception(
           "throttlingException",
           R"({"message":"Too many requests, please wait before trying again."})", out);
     }},
};

class GoldenStream : public testing::TestWithParam<Stream> {};

TEST_P(GoldenStream, IsByteForByteTheRecordedOne) {
  const fs::path path = fs::path(CRATON_SOURCE_DIR "/tests/golden/event_stream") / GetParam().name;
  std::string wire;
  GetParam().write(wire);
  if (std::getenv("CRATON_REWRITE_GOLDEN")) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << wire;
  }
  std::ifstream file(path, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), wire);
}

INSTANTIATE_TEST_SUITE_P(Of, GoldenStream, testing::ValuesIn(streams),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace craton::event_stream
