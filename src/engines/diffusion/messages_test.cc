#include "engines/diffusion/messages.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace craton::engines::diffusion {
namespace {

const std::vector<Message> one_of_each{
    Load{.threads = 3, .model = "/m/sd.gguf", .vae = "/m/vae.safetensors", .t5xxl = "/m/t5"},
    Draw{.id = 7,
         .width = 2,
         .height = 1,
         .steps = 20,
         .seed = std::numeric_limits<std::uint64_t>::max(),
         .guidance = 7.5,
         .distilled_guidance = 3.5,
         .strength = 0.25,
         .eta = 1,
         .sampler = "euler",
         .prompt = "a hat\0!",
         .negative_prompt = "",
         .source = "abcdef",
         .mask = "xy"},
    Cancel{9},
    Ready{},
    Failed{"no"},
    Progress{.id = 1, .step = 2, .steps = 3},
    Finished{.id = 4, .width = 1, .height = 2, .rgb = "abcdef"},
    Undone{.id = 5, .cancelled = true, .reason = "why"},
    Said{Said::Level::error, "line"},
};

std::string wire_of(const Message& message) {
  std::string wire;
  EXPECT_TRUE(encode(message, wire));
  return wire;
}

/// All messages of `wire`, which comes in pieces; and whether it ended in an error.
std::pair<std::vector<Message>, bool> read(std::string_view wire, std::size_t piece) {
  Decoder decoder;
  std::vector<Message> messages;
  while (!wire.empty()) {
    decoder.feed(wire.substr(0, piece));
    wire.remove_prefix(std::min(piece, wire.size()));
    for (;;) {
      auto message = decoder.next();
      if (!message) return {messages, true};
      if (!*message) break;
      messages.push_back(**std::move(message));
    }
  }
  return {messages, false};
}

TEST(Messages, AreReadAsTheyWereWrittenHoweverTheyArrive) {
  std::string wire;
  for (const Message& message : one_of_each) ASSERT_TRUE(encode(message, wire));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{64}, wire.size()}) {
    const auto [messages, failed] = read(wire, piece);
    EXPECT_FALSE(failed);
    EXPECT_EQ(messages, one_of_each) << piece;
  }
}

TEST(Messages, HaveThisForm) {
  EXPECT_EQ(wire_of(Cancel{258}), std::string("\5\0\0\0\2\2\1\0\0", 9));
  EXPECT_EQ(wire_of(Failed{"no"}), std::string("\7\0\0\0\4\2\0\0\0no", 11));
}

TEST(Messages, ThatAreCutAreWaitedFor) {
  for (const Message& message : one_of_each) {
    const std::string wire = wire_of(message);
    for (std::size_t size = 0; size < wire.size(); ++size) {
      const auto [messages, failed] = read(wire.substr(0, size), wire.size());
      EXPECT_TRUE(messages.empty());
      EXPECT_FALSE(failed);
    }
  }
}

TEST(Messages, ThatMakeNoSenseAreRefusedForGood) {
  const std::string good = wire_of(Ready{});
  const std::vector<std::string> bad{
      std::string("\0\0\0\0", 4),                         // without a type
      std::string("\1\0\0\0\x09", 5),                     // of no type
      std::string("\xff\xff\xff\xff\0", 5),               // too long
      std::string("\2\0\0\0\3x", 6),                      // with more than its fields
      std::string("\4\0\0\0\2\2\1\0", 8),                 // with less
      std::string("\x0a\0\0\0\7\1\0\0\0\2\0\0\0\0", 14),  // a flag that is neither
      std::string("\6\0\0\0\x08\4\0\0\0\0", 10),          // a level that is none
      std::string("\7\0\0\0\4\3\0\0\0no", 11),            // a text longer than the message
  };
  for (const std::string& wire : bad) {
    Decoder decoder;
    decoder.feed(wire);
    EXPECT_FALSE(decoder.next()) << wire;
    decoder.feed(good);
    EXPECT_FALSE(decoder.next()) << "framing is lost";
  }
}

TEST(Messages, PastALimitAreNotWritten) {
  const std::string long_text(text_max + 1, 'x');
  Draw draw{.id = 1, .width = 8, .height = 8, .steps = 1};
  const auto with = [&](auto change) {
    Draw changed = draw;
    change(changed);
    return changed;
  };
  const std::vector<Message> refused{
      Failed{long_text},
      Load{.vae = long_text},
      Finished{.id = 1, .width = 2, .height = 2, .rgb = "too few"},
      Finished{.id = 1, .width = 0, .height = 2, .rgb = ""},
      with([](Draw& d) { d.width = 0; }),
      with([](Draw& d) { d.width = side_max + 1; }),
      with([](Draw& d) { d.width = d.height = side_max; }),
      with([](Draw& d) { d.steps = 0; }),
      with([](Draw& d) { d.steps = steps_max + 1; }),
      with([](Draw& d) { d.guidance = std::nan(""); }),
      with([](Draw& d) { d.strength = std::numeric_limits<double>::infinity(); }),
      with([](Draw& d) { d.source = "x"; }),
      with([](Draw& d) { d.mask = "x"; }),
      with([&](Draw& d) { d.prompt = long_text; }),
  };
  for (const Message& message : refused) {
    std::string wire = "before";
    EXPECT_FALSE(encode(message, wire)) << message.index();
    EXPECT_EQ(wire, "before");
  }
  std::string wire;
  EXPECT_TRUE(encode(draw, wire));
}

TEST(Messages, OfTheLargestPictureFit) {
  Draw draw{.id = 1, .width = 4096, .height = 2560, .steps = 1};
  draw.source.assign(std::size_t{3} * draw.width * draw.height, 'x');
  draw.mask.assign(std::size_t{draw.width} * draw.height, 'x');
  draw.prompt.assign(text_max, 'x');
  const auto [messages, failed] = read(wire_of(draw), 256 << 10);
  EXPECT_FALSE(failed);
  EXPECT_EQ(messages, std::vector<Message>{draw});
}

}  // namespace
}  // namespace craton::engines::diffusion
