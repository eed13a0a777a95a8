#include "service/stream_events.h"

#include <boost/json/value.hpp>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "base/json.h"
#include "event_stream/message.h"

namespace craton::service {
namespace {

/// The native JSON of {"bytes":"…"}; the text itself when it is no such thing.
std::string chunk_text(std::string payload) {
  const Result<json::value> read = json::parse(payload);
  const auto* members = read ? read->if_object() : nullptr;
  const auto* bytes = members ? members->if_contains("bytes") : nullptr;
  if (!bytes || !bytes->is_string()) return payload;
  std::optional<std::string> text = base64_bytes(bytes->get_string());
  return text ? std::move(*text) : payload;
}

StreamEvent event_of(event_stream::Message message, std::chrono::nanoseconds after) {
  StreamEvent event{.after = after};
  for (event_stream::Header& header : message.headers) {
    if (header.name == ":exception-type") event.exception = true;
    if (header.name == ":event-type" || event.exception) {
      if (event.type.empty()) event.type = std::move(header.value);
    }
  }
  event.text =
      event.type == "chunk" ? chunk_text(std::move(message.payload)) : std::move(message.payload);
  return event;
}

}  // namespace

std::vector<StreamEvent> stream_events(const Interaction& interaction) {
  std::vector<StreamEvent> events;
  if (interaction.content_type != "application/vnd.amazon.eventstream") {
    for (const Interaction::Piece& piece : interaction.pieces) {
      events.push_back({.after = piece.after, .type = {}, .text = piece.bytes});
    }
    return events;
  }
  event_stream::Decoder decoder;
  for (const Interaction::Piece& piece : interaction.pieces) {
    decoder.feed(piece.bytes);
    while (true) {
      Result<std::optional<event_stream::Message>> message = decoder.next();
      if (!message) return events;
      if (!*message) break;
      events.push_back(event_of(std::move(**message), piece.after));
    }
  }
  return events;
}

}  // namespace craton::service
