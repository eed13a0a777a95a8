// What holds for every provider family: any body is read or refused, and what was read can be
// answered with valid JSON. The first byte picks one of the family's model ids.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "families/family.h"

namespace craton {

/// How an answer ends, and what its call's input is.
struct Answered {
  MessageStop stop;
  std::string_view input;
};

inline const Answered answered_ways[] = {{{StopReason::end_turn, {}}, R"({"a":[1]})"},
                                         {{StopReason::max_tokens, {}}, R"({"a":)"},
                                         {{StopReason::stop_sequence, "a\"b"}, ""},
                                         {{StopReason::tool_use, {}}, "[]"}};

/// Everything that an engine may send, and what it promises not to: bytes that are no UTF-8, a
/// call's input that is no JSON.
inline std::vector<Event> events_of(const Answered& answered) {
  const std::vector<TokenLikelihood> likelihoods{{"a\xFF", -0.5}, {"\n", -1e300}};
  return {MessageStart{{3, 1, 0, 0}, likelihoods},
          ReasoningDelta{"Well \"\xFF"},
          TextDelta{"", 0, {}},
          TextDelta{"Hi \"there\"\n\xF0\x9F\x98\x80 \xFF", 3, likelihoods},
          ToolUseStart{"f\"\xFF"},
          ToolInputDelta{std::string(answered.input)},
          ToolUseStop{},
          TextDelta{"more", 0, {}},
          answered.stop,
          Usage{}};
}

inline void check_reply(const families::Family& family, const families::ModelContext& model,
                        const families::NativeRequest& request, const std::vector<Event>& events) {
  AnswerBuilder builder;
  for (const Event& event : events) builder.add(event);
  const std::vector<Answer> answers(static_cast<std::size_t>(request.generations), *builder.take());
  if (!json::parse(family.render({model, request, answers, "id"}))) std::abort();
  if (!family.stream) return;
  const auto writer = family.stream({model, request, "id"});
  std::vector<std::string> pieces;
  for (int generation = 0; generation < request.generations; ++generation) {
    for (const Event& event : events) {
      pieces.clear();
      writer->write(event, generation, pieces);
      for (const std::string& piece : pieces) {
        if (!json::parse(piece)) std::abort();
      }
    }
  }
  if (pieces.empty()) std::abort();  // nothing to hang the metrics on
}

/// What engines count on.
inline void check_conversation(const Conversation& conversation) {
  if (conversation.turns.empty()) std::abort();
  for (const Turn& turn : conversation.turns) {
    if (turn.content.empty()) std::abort();
    for (const ContentBlock& block : turn.content) {
      const auto* call = std::get_if<ToolUseBlock>(&block);
      if (call && !json::parse(call->input)->is_object()) std::abort();
    }
  }
  const Tools& tools = conversation.tools;
  bool is_offered = tools.choice != ToolChoice::named;
  for (const Tool& tool : tools.offered) {
    is_offered = is_offered || tool.name == tools.named;
    if (!json::parse(tool.input_schema)->is_object()) std::abort();
  }
  if (!is_offered) std::abort();
}

/// True for a refusal that can be sent.
inline bool is_refusal(const Error& error) {
  return error.code == ErrorCode::validation && json::parse(json::quote(error.message));
}

/// What a Converse request carries beside its own members may be anything, too.
inline void check_additional(const families::Family& family, const families::ModelContext& model,
                             std::string_view body) {
  const Result<json::value> fields = json::parse(body);
  if (!family.apply_additional || !fields || !fields->is_object()) return;
  families::NativeRequest request;
  request.conversation.turns = {Turn{Role::user, {TextBlock{"Hi"}}}};
  const Result<void> applied = family.apply_additional(model, fields->get_object(), request);
  if (!applied && !is_refusal(applied.error())) std::abort();
}

/// One body, read and answered in each way.
inline void check_body(const families::Family& family, const families::ModelContext& model,
                       std::string_view body) {
  check_additional(family, model, body);
  const auto request = family.parse(model, body);
  if (!request) {
    if (!is_refusal(request.error())) std::abort();
    return;
  }
  check_conversation(request->conversation);
  for (const Answered& answered : answered_ways) {
    check_reply(family, model, *request, events_of(answered));
  }
}

}  // namespace craton

inline void fuzz_family(std::span<const std::string_view> model_ids, const std::uint8_t* data,
                        std::size_t size) {
  using namespace craton;
  if (size == 0) return;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const families::ModelContext model{model_ids[data[0] % model_ids.size()], 4096, 4096};
  const families::Family* family = families::family_of(model.model_id, body);
  if (!family) std::abort();
  check_body(*family, model, body);
}
