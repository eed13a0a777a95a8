// ConverseStream's answer: from Events to the frames of an AWS event stream.
//
//   messageStart       {"p":"abcd","role":"assistant"}
//   contentBlockStart  {"contentBlockIndex":1,"p":"ab","start":{"toolUse":{…}}}
//   contentBlockDelta  {"contentBlockIndex":0,"delta":{"text":"Hel"},"p":"…"}
//   contentBlockStop   {"contentBlockIndex":0,"p":"…"}
//   messageStop        {"p":"…","stopReason":"end_turn"}
//   metadata           {"metrics":{"latencyMs":412},"p":"…","usage":{…}}
//
// Blocks of text and of thought have no start: its union would be empty, which clients refuse.
// `p` is padding against guessing the text from the frames' lengths.
// No I/O: frames are appended to a string.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "conversation/event.h"
#include "converse/additional_fields.h"
#include "converse/request.h"

namespace craton::converse {

class StreamWriter {
 public:
  /// `started`: when the call began; the latency is counted from there.
  StreamWriter(std::shared_ptr<const Request> request, Provider provider, SteadyTime started)
      : request_(std::move(request)), provider_(std::move(provider)), started_(started) {}

  /// Appends the frames that `event` brings. Failure never comes here; Usage is the last.
  void write(const Event& event, std::string& out);

 private:
  enum class Open { none, text, reasoning, tool_use };

  void take(const MessageStart&, std::string& out);
  void take(const TextDelta& delta, std::string& out);
  void take(const ReasoningDelta& delta, std::string& out);
  void take(const ToolUseStart& start, std::string& out);
  void take(const ToolInputDelta& delta, std::string& out);
  void take(const ToolUseStop&, std::string& out);
  void take(const MessageStop&, std::string& out);
  void take(const Usage& usage, std::string& out);
  void take(const Failure&, std::string&) {}

  void open(Open kind, std::string& out);
  void close(std::string& out);
  void append_delta(std::string_view delta, std::string& out) const;

  const std::shared_ptr<const Request> request_;
  const Provider provider_;
  const SteadyTime started_;
  AnswerBuilder folded_;  // for what is told of the whole answer at its end
  Open open_ = Open::none;
  int index_ = -1;  // of the latest block
};

}  // namespace craton::converse
