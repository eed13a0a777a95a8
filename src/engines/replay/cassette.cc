#include "engines/replay/cassette.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <fstream>
#include <optional>
#include <utility>

#include "engines/replay/members.h"
#include "engines/replay/reply_form.h"

namespace craton::engines::replay {
namespace {

Error wrong(std::string message) { return {ErrorCode::validation, std::move(message)}; }

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

constexpr std::array<std::pair<std::string_view, StopReason>, 5> reasons{{
    {"end_turn", StopReason::end_turn},
    {"stop_sequence", StopReason::stop_sequence},
    {"max_tokens", StopReason::max_tokens},
    {"full_context", StopReason::full_context},
    {"tool_use", StopReason::tool_use},
}};

struct Count {
  std::string_view name;
  int Usage::* field;
};
constexpr std::array counts{Count{"inputTokens", &Usage::input_tokens},
                            Count{"outputTokens", &Usage::output_tokens},
                            Count{"cacheReadTokens", &Usage::cache_read_tokens},
                            Count{"cacheWriteTokens", &Usage::cache_write_tokens}};

json::object usage_form(const Usage& usage) {
  json::object form;
  for (const Count& count : counts) {
    if (usage.*count.field != 0) form[count.name] = usage.*count.field;
  }
  return form;
}

json::array likelihoods_form(const std::vector<TokenLikelihood>& all) {
  json::array form;
  for (const TokenLikelihood& one : all) form.push_back(json::array{one.token, one.likelihood});
  return form;
}

json::object event_form(const Event& event) {
  return std::visit(
      Overloaded{
          [](const MessageStart& start) {
            json::object form{{"start", usage_form(start.usage)}};
            if (!start.prompt_likelihoods.empty()) {
              form["likelihoods"] = likelihoods_form(start.prompt_likelihoods);
            }
            return form;
          },
          [](const TextDelta& delta) {
            json::object form{{"text", delta.text}};
            if (delta.output_tokens != 0) form["outputTokens"] = delta.output_tokens;
            if (!delta.likelihoods.empty()) {
              form["likelihoods"] = likelihoods_form(delta.likelihoods);
            }
            return form;
          },
          [](const ReasoningDelta& delta) { return json::object{{"reasoning", delta.text}}; },
          [](const ToolUseStart& start) { return json::object{{"tool", start.name}}; },
          [](const ToolInputDelta& delta) { return json::object{{"input", delta.json}}; },
          [](const ToolUseStop&) { return json::object{{"toolEnd", true}}; },
          [](const MessageStop& stop) {
            const auto row =
                std::ranges::find(reasons, stop.reason, &decltype(reasons)::value_type::second);
            json::object form{{"stop", row->first}};
            if (stop.stop_sequence) form["stopSequence"] = *stop.stop_sequence;
            return form;
          },
          [](const Usage& usage) { return json::object{{"usage", usage_form(usage)}}; },
          [](const Failure& failure) {
            json::object form{{"failure", shape_of(failure.error.code).name},
                              {"message", failure.error.message}};
            if (failure.input_too_long) {
              form["inputTokens"] = failure.input_too_long->input_tokens;
              form["contextTokens"] = failure.input_too_long->context_tokens;
            }
            return form;
          }},
      event);
}

Result<Usage> usage_in(const Members& form, std::string_view name) {
  const json::value* value = form.find(name);
  if (!value || !value->is_object()) return wrong(fmt::format("'{}' must be an object", name));
  Usage usage;
  const Members inside(value->get_object());
  for (const Count& count : counts) {
    CRATON_TRY_ASSIGN(usage.*count.field, inside.number(count.name));
  }
  return usage;
}

Result<std::vector<TokenLikelihood>> likelihoods_in(const Members& form) {
  std::vector<TokenLikelihood> all;
  const json::value* value = form.find("likelihoods");
  if (!value) return all;
  if (!value->is_array()) return wrong("'likelihoods' must be a list");
  for (const json::value& one : value->get_array()) {
    const bool pair = one.is_array() && one.get_array().size() == 2 &&
                      one.get_array()[0].is_string() && one.get_array()[1].is_number();
    if (!pair) return wrong("'likelihoods' must be of pairs of text and number");
    all.push_back(
        {std::string(one.get_array()[0].get_string()), one.get_array()[1].to_number<double>()});
  }
  return all;
}

Result<Event> start_of(const Members& form) {
  MessageStart start;
  CRATON_TRY_ASSIGN(start.usage, usage_in(form, "start"));
  CRATON_TRY_ASSIGN(start.prompt_likelihoods, likelihoods_in(form));
  return start;
}

Result<Event> text_of(const Members& form) {
  TextDelta delta;
  CRATON_TRY_ASSIGN(delta.text, form.text("text"));
  CRATON_TRY_ASSIGN(delta.output_tokens, form.number("outputTokens"));
  CRATON_TRY_ASSIGN(delta.likelihoods, likelihoods_in(form));
  return delta;
}

Result<Event> reasoning_of(const Members& form) {
  CRATON_TRY_ASSIGN(std::string text, form.text("reasoning"));
  return ReasoningDelta{std::move(text)};
}

Result<Event> tool_of(const Members& form) {
  CRATON_TRY_ASSIGN(std::string name, form.text("tool"));
  return ToolUseStart{std::move(name)};
}

Result<Event> input_of(const Members& form) {
  CRATON_TRY_ASSIGN(std::string text, form.text("input"));
  return ToolInputDelta{std::move(text)};
}

Result<Event> tool_end_of(const Members&) { return ToolUseStop{}; }

Result<Event> stop_of(const Members& form) {
  CRATON_TRY_ASSIGN(const std::string name, form.text("stop"));
  const auto row = std::ranges::find(reasons, name, &decltype(reasons)::value_type::first);
  if (row == reasons.end()) return wrong(fmt::format("'{}' is no reason to stop", name));
  MessageStop stop{row->second, std::nullopt};
  if (form.has("stopSequence")) {
    CRATON_TRY_ASSIGN(stop.stop_sequence, form.text("stopSequence"));
  }
  return stop;
}

Result<Event> usage_of(const Members& form) {
  CRATON_TRY_ASSIGN(const Usage usage, usage_in(form, "usage"));
  return usage;
}

Result<Event> failure_of(const Members& form) {
  CRATON_TRY_ASSIGN(const std::string name, form.text("failure"));
  CRATON_TRY_ASSIGN(std::string message, form.text("message"));
  const auto* row = std::ranges::find(error_shapes, name, &ErrorShape::name);
  if (row == error_shapes.end()) return wrong(fmt::format("'{}' is no error of Bedrock's", name));
  Failure failure{{row->code, std::move(message)}, std::nullopt};
  if (form.has("contextTokens")) {
    InputTooLong measured{};
    CRATON_TRY_ASSIGN(measured.input_tokens, form.number("inputTokens"));
    CRATON_TRY_ASSIGN(measured.context_tokens, form.number("contextTokens"));
    failure.input_too_long = measured;
  }
  return failure;
}

struct EventRow {
  std::string_view name;
  Result<Event> (*read)(const Members& form);
};

constexpr std::array event_rows{
    EventRow{"start", start_of}, EventRow{"text", text_of},   EventRow{"reasoning", reasoning_of},
    EventRow{"tool", tool_of},   EventRow{"input", input_of}, EventRow{"toolEnd", tool_end_of},
    EventRow{"stop", stop_of},   EventRow{"usage", usage_of}, EventRow{"failure", failure_of}};

Result<TimedEvent> timed_event_of(const json::value& value) {
  if (!value.is_object()) return wrong("it must be an object");
  const Members form(value.get_object());
  TimedEvent timed;
  CRATON_TRY_ASSIGN(const int at, form.number("at"));
  timed.at = Milliseconds(at);
  for (const EventRow& row : event_rows) {
    if (!form.has(row.name)) continue;
    CRATON_TRY_ASSIGN(timed.event, row.read(form));
    return timed;
  }
  return wrong("it is no event");
}

/// An answer begins with its start and ends with usage or a failure; what lies between fits.
Result<void> check_order(const std::vector<TimedEvent>& events) {
  const bool begins =
      !events.empty() && (std::holds_alternative<MessageStart>(events.front().event) ||
                          std::holds_alternative<Failure>(events.front().event));
  if (!begins) return wrong("'events' must begin with 'start'");
  bool in_call = false;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i].event;
    const bool last =
        std::holds_alternative<Usage>(event) || std::holds_alternative<Failure>(event);
    if (last != (i + 1 == events.size()))
      return wrong("'events' must end with 'usage' or 'failure'");
    if (i > 0 && std::holds_alternative<MessageStart>(event))
      return wrong("'start' is there twice");
    if (i > 0 && events[i].at < events[i - 1].at) return wrong("'at' must not go back");
    const bool input =
        std::holds_alternative<ToolInputDelta>(event) || std::holds_alternative<ToolUseStop>(event);
    if (input != in_call && (input || !last))
      return wrong("a tool's call is begun and not ended, or the other way round");
    if (std::holds_alternative<ToolUseStart>(event)) in_call = true;
    if (std::holds_alternative<ToolUseStop>(event)) in_call = false;
  }
  return {};
}

}  // namespace

std::string line_of(const Interaction& interaction) {
  std::string line = "{\"request\":" + interaction.request;
  const std::pair<std::string_view, const std::string&> texts[] = {
      {"operation", interaction.operation},
      {"engine", interaction.engine},
      {"engineModel", interaction.engine_model},
      {"recorded", interaction.recorded}};
  for (const auto& [name, text] : texts) {
    line += fmt::format(",\"{}\":", name);
    json::append_quoted(text, line);
  }
  if (interaction.reply) return line + ",\"reply\":" + reply_text(*interaction.reply) + "}";
  line += ",\"events\":[";
  for (const TimedEvent& timed : interaction.events) {
    if (line.back() != '[') line += ',';
    json::object form = event_form(timed.event);
    form["at"] = timed.at.count();
    json::append_text(form, line);
  }
  return line + "]}";
}

Result<Interaction> interaction_of(std::string_view line) {
  CRATON_TRY_ASSIGN(const json::value value, json::parse(line));
  if (!value.is_object()) return wrong("it must be an object");
  const json::object& object = value.get_object();
  const Members members(object);
  Interaction interaction;
  CRATON_TRY_ASSIGN(interaction.operation, members.text("operation"));
  CRATON_TRY_ASSIGN(interaction.engine, members.text("engine"));
  CRATON_TRY_ASSIGN(interaction.engine_model, members.text("engineModel"));
  CRATON_TRY_ASSIGN(interaction.recorded, members.text("recorded"));
  const json::value* request = object.if_contains("request");
  if (!request || !request->is_object()) return wrong("'request' must be an object");
  interaction.request = json::to_text(*request);
  const bool native = request->get_object().contains("body");
  if (const json::value* reply = object.if_contains("reply")) {
    if (members.has("events")) return wrong("it has both 'reply' and 'events'");
    if (!native) return wrong("'reply' is there, and the request has no 'body'");
    CRATON_TRY_ASSIGN(interaction.reply, timed_reply_of(*reply));
    return interaction;
  }
  const json::value* events = object.if_contains("events");
  if (!events || !events->is_array()) return wrong("'events' must be a list");
  for (const json::value& one : events->get_array()) {
    Result<TimedEvent> event = timed_event_of(one);
    if (!event) {
      return wrong(
          fmt::format("event {}: {}", interaction.events.size() + 1, event.error().message));
    }
    interaction.events.push_back(std::move(*event));
  }
  CRATON_TRY(check_order(interaction.events));
  const bool failed = std::holds_alternative<Failure>(interaction.events.front().event);
  if (native && !failed) return wrong("a request with 'body' is answered by a 'reply', or fails");
  return interaction;
}

Result<std::vector<std::filesystem::path>> cassette_files(const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::is_regular_file(folder, error)) return std::vector{folder};
  if (!std::filesystem::is_directory(folder, error)) {
    return wrong(folder.string() + ": there is no such folder; craton serve --record makes one");
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

Result<std::vector<Placed>> read_cassettes(const std::filesystem::path& folder) {
  CRATON_TRY_ASSIGN(const auto files, cassette_files(folder));
  std::vector<Placed> all;
  for (const std::filesystem::path& file : files) {
    std::ifstream stream(file, std::ios::binary);
    std::string line;
    for (int number = 1; std::getline(stream, line); ++number) {
      if (line.empty()) continue;
      Result<Interaction> interaction = line.size() > line_bytes_max
                                            ? Result<Interaction>(wrong("the line is too long"))
                                            : interaction_of(line);
      if (!interaction) {
        return wrong(fmt::format("{}:{}: {}", file.string(), number, interaction.error().message));
      }
      all.push_back({std::move(*interaction), file, number});
    }
    if (stream.bad()) return wrong(file.string() + ": it cannot be read");
  }
  return all;
}

}  // namespace craton::engines::replay
