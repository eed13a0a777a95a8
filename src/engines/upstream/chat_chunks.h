// The streamed pieces of `/v1/chat/completions` and `/v1/completions` as Events; whole answers too,
// for servers that do not stream.
//
//   ServerSentEvent ──► read() ──► MessageStart, deltas …
//   the stream's end ─► finish() ─► MessageStop, Usage, or what is wrong
//
// Thoughts come as `reasoning_content`, or as `reasoning`. Which stop sequence ended the text is
// told by vLLM (`stop_reason`) and SGLang (`matched_stop`) alone; where it is not told, the text
// has ended by itself as far as anybody knows.
//
// Source: platform.openai.com "The chat completion chunk object". No I/O.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "conversation/event.h"
#include "engines/upstream/sse.h"

namespace craton::engines::upstream {

struct ChunkForm {
  bool thoughts_shown = false;  ///< Else thoughts are left out, as they were not asked for.
  bool tokens_lowered = false;  ///< Fewer tokens were asked for than the caller wants: what fits.
  std::string begun = {};       ///< What the server repeats before it goes on: it is left out.
  int prompt_tokens = 0;        ///< An estimate, where the server tells no usage.
};

class ChunkReader {
 public:
  explicit ChunkReader(ChunkForm form = {}) : form_(std::move(form)), repeated_(form_.begun) {}

  /// Appends what the piece says to `events`. Fails, for good, with the server's own error where
  /// the piece is one, and with `model_error` where it is none of this API.
  Result<void> read(const ServerSentEvent& piece, std::vector<Event>& events);

  ChunkReader(const ChunkReader&) = delete;
  ChunkReader& operator=(const ChunkReader&) = delete;

  /// Reads an answer that came whole. Fails as read().
  Result<void> read_whole(std::string_view text, std::vector<Event>& events);

  /// Appends the last events, behind the stream's end. Fails with `model_error` when the answer has
  /// none.
  Result<void> finish(std::vector<Event>& events);

  /// The server has said that nothing follows.
  bool done() const { return done_; }

  /// The server told no usage: the numbers in it are an estimate.
  bool usage_missing() const { return !usage_; }

 private:
  struct OpenCall {
    std::optional<std::int64_t> index;
    std::string id;
  };

  Result<void> read_object(const boost::json::object& chunk, std::vector<Event>& events);
  Result<void> read_choice(const boost::json::object& choice, std::vector<Event>& events);
  void read_usage(const boost::json::object& usage);
  void read_reason(const boost::json::object& choice);
  Result<void> read_calls(const boost::json::array& calls, std::vector<Event>& events);
  Result<void> read_call(const boost::json::object& call, std::vector<Event>& events);
  void add_text(std::string_view text, const boost::json::object& choice,
                std::vector<Event>& events);
  void add_content(const boost::json::value& content, const boost::json::object& choice,
                   std::vector<Event>& events);
  std::string new_text(std::string_view text);
  void add_thought(std::string_view text, std::vector<Event>& events);
  void begin(std::vector<Event>& events);
  void end_call(std::vector<Event>& events);

  const ChunkForm form_;
  std::string_view repeated_;  ///< Of `form_.begun`, what has not come yet.
  bool begun_ = false;
  bool done_ = false;
  std::optional<OpenCall> call_;
  bool called_ = false;
  std::size_t bytes_ = 0;  ///< Of the answer, for an estimate.
  std::optional<MessageStop> stop_;
  std::optional<Usage> usage_;
};

}  // namespace craton::engines::upstream
