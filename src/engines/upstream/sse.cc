#include "engines/upstream/sse.h"

#include <algorithm>
#include <utility>

namespace craton::engines::upstream {

Result<void> EventParser::feed(std::string_view bytes, std::vector<ServerSentEvent>& events) {
  while (!bytes.empty()) {
    if (std::exchange(after_return_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = bytes.find_first_of("\r\n");
    line_ += bytes.substr(0, end);
    if (line_.size() + event_.data.size() > most_) {
      return Error{ErrorCode::model_error, "The server that answers here sent an endless event."};
    }
    if (end == bytes.npos) break;
    after_return_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    take_line(events);
  }
  return {};
}

void EventParser::finish(std::vector<ServerSentEvent>& events) {
  if (!line_.empty()) take_line(events);
  dispatch(events);
}

void EventParser::take_line(std::vector<ServerSentEvent>& events) {
  const std::string line = std::exchange(line_, {});
  std::string_view rest = line;
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (std::exchange(first_, false) && rest.starts_with(byte_order_mark)) {
    rest.remove_prefix(byte_order_mark.size());
  }
  if (rest.empty()) return dispatch(events);
  const std::string_view field = rest.substr(0, rest.find(':'));
  std::string_view value = rest.substr(std::min(rest.size(), field.size() + 1));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") event_.name = value;
  if (field == "error") event_.name = field;
  if (field != "data" && field != "error") return;  // a comment, or a field of no use here
  if (std::exchange(has_data_, true)) event_.data += '\n';
  event_.data += value;
}

void EventParser::dispatch(std::vector<ServerSentEvent>& events) {
  ServerSentEvent event = std::exchange(event_, {});
  if (std::exchange(has_data_, false)) events.push_back(std::move(event));
}

}  // namespace craton::engines::upstream
