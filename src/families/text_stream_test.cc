#include "families/text_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace craton::families {
namespace {

using testing::ElementsAre;

void append(const TextPiece& piece, std::string& out) {
  out += piece.first ? "first " : "";
  out += "'" + std::string(piece.text) + "' " + std::to_string(piece.output_tokens);
  if (piece.stop) out += " last";
}

struct Streamed {
  explicit Streamed(std::string lead, int tokens_per_piece = 1)
      : request{.conversation = {},
                .echo = {},
                .lead = std::move(lead),
                .body = {},
                .ignored_fields = {}},
        writer(text_stream({model, request, "id"}, {append, tokens_per_piece})) {}

  std::vector<std::string> of(const std::vector<Event>& events) {
    std::vector<std::string> pieces;
    for (const Event& event : events) writer->write(event, 0, pieces);
    return pieces;
  }

  ModelContext model{"some.model", 4096, 4096};
  NativeRequest request;
  std::unique_ptr<StreamWriter> writer;
};

TEST(TextStream, IsAPieceADeltaAndALast) {
  EXPECT_THAT(Streamed("").of({MessageStart{}, TextDelta{"a", 1, {}}, TextDelta{"b", 3, {}},
                               MessageStop{}, Usage{5, 3, 0, 0}}),
              ElementsAre("first 'a' 1", "'b' 3", "'' 3 last"));
}

TEST(TextStream, CountsDeltasWhereTheEngineCountsNoTokens) {
  EXPECT_THAT(Streamed("").of({MessageStart{}, TextDelta{"a", 0, {}}, TextDelta{"", 0, {}},
                               TextDelta{"b", 0, {}}, MessageStop{}, Usage{5, 2, 0, 0}}),
              ElementsAre("first 'a' 1", "'b' 2", "'' 2 last"));
}

TEST(TextStream, PutsTheLeadBeforeTheFirstTextOnly) {
  EXPECT_THAT(Streamed("\n").of({TextDelta{"", 1, {}}, TextDelta{"a", 2, {}}, TextDelta{"b", 3, {}},
                                 MessageStop{}, Usage{5, 3, 0, 0}}),
              ElementsAre("first '\na' 2", "'b' 3", "'' 3 last"));
  EXPECT_THAT(Streamed("\n").of({TextDelta{" a", 1, {}}, MessageStop{}, Usage{5, 1, 0, 0}}),
              ElementsAre("first ' a' 1", "'' 1 last"));
}

TEST(TextStream, OfNothingIsOnePiece) {
  EXPECT_THAT(Streamed(" ").of({MessageStart{}, MessageStop{}, Usage{}}),
              ElementsAre("first '' 0 last"));
}

TEST(TextStream, LeavesOutWhatIsNoText) {
  EXPECT_THAT(Streamed("").of({MessageStart{}, ReasoningDelta{"hm"}, ToolUseStart{"f"},
                               ToolInputDelta{"{}"}, ToolUseStop{}, MessageStop{}, Usage{}}),
              ElementsAre("first '' 0 last"));
}

TEST(TextStream, GathersTokensForLargePieces) {
  EXPECT_THAT(
      Streamed("", 3).of({TextDelta{"a", 1, {}}, TextDelta{"b", 2, {}}, TextDelta{"c", 3, {}},
                          TextDelta{"d", 4, {}}, MessageStop{}, Usage{5, 4, 0, 0}}),
      ElementsAre("first 'abc' 3", "'d' 4 last"));
}

}  // namespace
}  // namespace craton::families
