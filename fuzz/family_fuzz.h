// What holds for every provider family: any body is read or refused, and what was read can be
// answered with valid JSON. The first byte picks one of the family's model ids.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

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
  const Answer answers[] = {
      {.text = "Hi \"there\"\n\xF0\x9F\x98\x80 \xFF", .stop_reason = StopReason::end_turn},
      {.text = "", .stop_reason = StopReason::max_tokens},
      {.text = "x", .stop_reason = StopReason::stop_sequence, .stop_sequence = "a\"b"},
  };
  for (const Answer& answer : answers) {
    if (!json::parse(family->render({model, *request, answer, "id"}))) std::abort();
  }
}
