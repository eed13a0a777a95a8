// What holds for every provider family: any body is read or refused, and what was read can be
// answered with valid JSON. The first byte picks one of the family's model ids.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "families/family.h"

inline void fuzz_family(std::span<const std::string_view> model_ids, const std::uint8_t* data,
                        std::size_t size) {
  using namespace craton;
  if (size == 0) return;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const families::ModelContext model{model_ids[data[0] % model_ids.size()], 4096, 4096};
  const families::Family* family = families::family_of(model.model_id, body);
  if (!family) std::abort();
  const auto request = family->parse(model, body);
  if (!request) {
    const bool sendable = request.error().code == ErrorCode::validation &&
                          json::parse(json::quote(request.error().message));
    if (!sendable) std::abort();
    return;
  }
  if (request->conversation.turns.empty()) std::abort();
  const MessageStop stops[] = {{StopReason::end_turn, {}},
                               {StopReason::max_tokens, {}},
                               {StopReason::stop_sequence, "a\"b"}};
  for (const MessageStop& stop : stops) {
    const Event events[] = {MessageStart{}, TextDelta{"Hi \"there\"\n\xF0\x9F\x98\x80 \xFF", 3, {}},
                            stop, Usage{}};
    AnswerBuilder builder;
    for (const Event& event : events) builder.add(event);
    const std::vector<Answer> answers(static_cast<std::size_t>(request->generations),
                                      *builder.take());
    if (!json::parse(family->render({model, *request, answers, "id"}))) std::abort();
    if (!family->stream) continue;
    const auto writer = family->stream({model, *request, "id"});
    std::vector<std::string> pieces;
    for (const Event& event : events) writer->write(event, 0, pieces);
    for (const std::string& piece : pieces) {
      if (!json::parse(piece)) std::abort();
    }
  }
}
