// What a service may answer a client: an error's body, a Converse reply, the payloads of a stream's
// messages. The first byte says which; nothing may crash, and what is read is sane.
#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.h"
#include "client/converse_form.h"
#include "client/errors.h"

namespace {

using namespace craton;

void read_reply(std::string_view text) {
  const Result<json::value> value = json::parse(text);
  if (!value || !value->is_object()) return;
  const Result<Answer> answer = client::read_answer(value->get_object());
  if (answer && (answer->usage.input_tokens < 0 || answer->usage.output_tokens < 0)) std::abort();
}

/// Lines of a type, a blank and a payload.
void read_events(std::string_view text) {
  client::EventReader reader;
  AnswerBuilder builder;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t blank = std::min(line.find(' '), line.size());
    auto events = reader.read(line.substr(0, blank), line.substr(std::min(blank + 1, line.size())));
    if (!events) return;
    for (Event& event : *events) builder.add(std::move(event));
  }
  if (builder.complete()) (void)builder.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0: read_reply(text); break;
    case 1: read_events(text); break;
    default: {
      const CallError error = client::service_error({.status = 400, .headers = {}}, text);
      if (error.message.empty()) std::abort();
      if (client::stream_error("throttlingException", text).type != "ThrottlingException") {
        std::abort();
      }
    }
  }
  return 0;
}
