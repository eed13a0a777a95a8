// Server-sent events: a byte stream, in whatever pieces it arrives, cut into events.
//
//   event: name ⏎ data: first line ⏎ data: second line ⏎ ⏎
//
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream.
// Beyond it, for servers as they are: an event that the stream's end cuts off behind its last line
// is given, and a line `error: …`, as older llama-server writes it, is an event of that name.
//
// No I/O, no globals.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace craton::engines::upstream {

struct ServerSentEvent {
  std::string name;  ///< Empty: "message".
  std::string data;  ///< Its lines, with line feeds between them.

  friend bool operator==(const ServerSentEvent&, const ServerSentEvent&) = default;
};

class EventParser {
 public:
  /// Of one event, all of its lines; whoever sends more is no server of ours.
  static constexpr std::size_t bytes_max = std::size_t{16} << 20;

  explicit EventParser(std::size_t most = bytes_max) : most_(most) {}

  /// Appends the events that `bytes` complete. Keeps a copy of the rest.
  /// Fails with `model_error` on an event that is too large, for good.
  Result<void> feed(std::string_view bytes, std::vector<ServerSentEvent>& events);

  /// The stream ends here.
  void finish(std::vector<ServerSentEvent>& events);

 private:
  void take_line(std::vector<ServerSentEvent>& events);
  void dispatch(std::vector<ServerSentEvent>& events);

  const std::size_t most_;
  std::string line_;           ///< The incomplete last one.
  ServerSentEvent event_;      ///< Of the lines so far.
  bool has_data_ = false;      ///< It has.
  bool after_return_ = false;  ///< A line feed belongs to the line's end before it.
  bool first_ = true;          ///< The line may begin with a byte order mark.
};

}  // namespace craton::engines::upstream
