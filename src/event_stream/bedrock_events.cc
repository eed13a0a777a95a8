#include "event_stream/bedrock_events.h"

#include "base/base64.h"
#include "event_stream/message.h"

namespace craton::event_stream {
namespace {

/// How the two kinds of message differ.
struct Kind {
  std::string_view type_header;
  std::string_view message_type;
};
constexpr Kind event{":event-type", "event"};
constexpr Kind exception{":exception-type", "exception"};

void add_headers(const Kind& kind, std::string_view type, MessageWriter& writer) {
  writer.add_header(kind.type_header, type);
  writer.add_header(":content-type", "application/json");
  writer.add_header(":message-type", kind.message_type);
}

Result<void> append(const Kind& kind, std::string_view type, std::string_view json_payload,
                    std::string& out) {
  MessageWriter writer(out);
  add_headers(kind, type, writer);
  writer.payload() += json_payload;
  return writer.finish();
}

constexpr std::string_view letters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
static_assert(padding_min < padding_max && padding_max <= letters.size());

}  // namespace

Result<void> append_event(std::string_view event_type, std::string_view json_payload,
                          std::string& out) {
  return append(event, event_type, json_payload, out);
}

Result<void> append_exception(std::string_view exception_type, std::string_view json_payload,
                              std::string& out) {
  return append(exception, exception_type, json_payload, out);
}

Result<void> append_chunk(std::string_view native_json, std::string_view padding,
                          std::string& out) {
  MessageWriter writer(out);
  add_headers(event, "chunk", writer);
  std::string& payload = writer.payload();
  payload += R"({"bytes":")";
  append_base64(native_json, payload);
  if (!padding.empty()) payload.append(R"(","p":")").append(padding);
  payload += R"("})";
  return writer.finish();
}

std::string_view padding(std::uint64_t random) {
  return letters.substr(0, padding_min + random % (padding_max - padding_min + 1));
}

}  // namespace craton::event_stream
