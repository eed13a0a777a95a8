#include "engines/upstream/upstream_error.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>
#include <charconv>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"
#include "engines/refusals.h"
#include "engines/upstream/json_members.h"

namespace craton::engines::upstream {
namespace {

constexpr std::size_t told_max = 1000;  // bytes of a server's text that are passed on

/// How servers say that a prompt does not fit, in lower case. `context` and `input` stand before
/// the numbers that they name; empty: not told.
struct TooLong {
  std::string_view says;
  std::string_view context;
  std::string_view input;
};
// The first that fits is taken. vLLM's of several years, SGLang's, OpenAI's, llama-server's.
constexpr std::array too_long_texts{
    TooLong{"maximum context length", "maximum context length is ", "your request has "},
    TooLong{"maximum context length", "maximum context length is ", "your messages resulted in "},
    TooLong{"maximum context length", "maximum context length of ", "tokens: "},
    TooLong{"maximum context length", "maximum context length is ", "tokens ("},
    TooLong{"longer than the maximum model length", "maximum model length of ", "(length "},
    TooLong{"longer than the model's context length", "context length (", "the input ("},
    TooLong{"exceeds the available context size", "", ""},
    TooLong{"exceed_context_size_error", "", ""},
    TooLong{"context_length_exceeded", "", ""},
    TooLong{"input is too long", "", ""},
    TooLong{"prompt is too long", "", ""},
};

/// The number behind `lead` in `text`.
std::optional<int> number_behind(std::string_view text, std::string_view lead) {
  if (lead.empty()) return std::nullopt;
  const std::size_t at = text.find(lead);
  if (at == text.npos) return std::nullopt;
  const std::string_view rest = text.substr(at + lead.size());
  int number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  (void)end;
  return error == std::errc() && number >= 0 ? std::optional(number) : std::nullopt;
}

std::string lower(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return small;
}

/// The object that tells what is wrong: {"error":{…}} of most, {"message":…} of older vLLM,
/// {"detail":…} of FastAPI.
struct Told {
  std::string message;
  std::string all;  ///< The object's text, in lower case: codes stand beside the message.
  std::optional<InputTooLong> measured;
  int code = 0;
};

void read_object(const json::object& object, Told& told) {
  for (const std::string_view name : {"message", "detail"}) {
    const json::value* member = object.if_contains(name);
    if (!member || member->is_null() || !told.message.empty()) continue;
    told.message = member->is_string() ? std::string(member->get_string()) : json::to_text(*member);
  }
  told.code = count_member(object, "code");
  const int input = count_member(object, "n_prompt_tokens");
  const int context = count_member(object, "n_ctx");
  if (input > 0 && context > 0) told.measured = InputTooLong{input, context};
}

Told told_in(std::string_view body) {
  Told told;
  told.all = lower(body.substr(0, 64 * 1024));
  const auto parsed = json::parse(body);
  if (!parsed || !parsed->is_object()) return told;
  const json::object& root = parsed->get_object();
  if (const json::object* error = object_member(root, "error")) {
    read_object(*error, told);
  } else if (const auto text = text_member(root, "error"); !text.empty()) {
    told.message = text;
  } else {
    read_object(root, told);
  }
  return told;
}

const TooLong* too_long(const Told& told) {
  const TooLong* found = nullptr;
  for (const TooLong& row : too_long_texts) {
    if (told.all.find(row.says) == told.all.npos) continue;
    if (!found) found = &row;
    if (row.input.empty() || told.all.find(row.input) != told.all.npos) return &row;
  }
  return found;
}

std::optional<InputTooLong> measured_in(const Told& told, const TooLong& row) {
  if (told.measured) return told.measured;
  const auto context = number_behind(told.all, row.context);
  if (!context) return std::nullopt;
  const auto input = number_behind(told.all, row.input);
  return input ? std::optional(InputTooLong{*input, *context}) : std::nullopt;
}

Error refused_by_server(const Told& told) {
  std::string text(first_characters(mended_utf8(told.message), told_max));
  if (text.empty()) text = "It gave no reason.";
  return {ErrorCode::validation,
          "The server that answers here refused the request: " + without_folders(text)};
}

struct Row {
  int status;
  Error (*error)();
};
Error no_access() {
  return {ErrorCode::model_error,
          "The server that answers here lets this one not in. Its operator has to give it a right "
          "key: api-key-env or api-key-file."};
}
Error no_model() {
  return {ErrorCode::model_error,
          "The server that answers here does not know the model. Its operator has to give the "
          "right name: upstream-model."};
}
Error unavailable() {
  return {ErrorCode::service_unavailable,
          "The service is temporarily unavailable. Try your request again."};
}
constexpr std::array rows{
    Row{401, no_access}, Row{403, no_access},   Row{404, no_model},  Row{408, timed_out},
    Row{429, throttled}, Row{503, unavailable}, Row{504, timed_out}, Row{500, model_broke},
};

}  // namespace

Refusal refusal_of(int status, std::string_view body) {
  const Told told = told_in(body);
  const TooLong* row = too_long(told);
  const bool is_refusal = status == 400 || status == 413 || status == 422;
  if (row && (is_refusal || status == 500)) {  // llama-server of 2024 says 500
    const auto measured = measured_in(told, *row);
    const bool fits = measured && measured->input_tokens < measured->context_tokens;
    if (fits) return {{refused_by_server(told), {}}, measured};
    Failure failure{{ErrorCode::validation, "Input is too long for requested model."}, measured};
    if (measured) --failure.input_too_long->context_tokens;  // one token of answer must fit as well
    return {std::move(failure), measured};
  }
  if (is_refusal) return {{refused_by_server(told), {}}, {}};
  const auto found = std::ranges::find(rows, status, &Row::status);
  return {{found == rows.end() ? model_broke() : found->error(), {}}, {}};
}

Error stream_error_of(std::string_view object) {
  const Told told = told_in(object);
  return told.code >= 400 && told.code < 600 ? refusal_of(told.code, object).failure.error
                                             : model_broke();
}

Error not_understood() {
  return {ErrorCode::model_error,
          "The server that answers here did not answer as an OpenAI-compatible one. Try your "
          "request again."};
}

Error broken_off() {
  return {ErrorCode::model_error,
          "The answer of the server that answers here broke off. Try your request again."};
}

}  // namespace craton::engines::upstream
