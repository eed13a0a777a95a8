#include "engines/faults/fault.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace craton::engines::faults {
namespace {

using rules::Key;
using rules::Source;
using rules::Value;

/// Which answers a kind can be done to.
enum class Reach {
  all,           ///< Also counts of tokens.
  answers,       ///< Whole ones and streams.
  words,         ///< The same, where they are of text and calls.
  whole,         ///< Answers that are no streams.
  streams,       ///< In whatever framing.
  event_streams  ///< In AWS's framing.
};

// Which of the keys a kind has, beside those of all.
enum Has : unsigned { nothing = 0, at = 1, wait = 2, bytes = 4, texts = 8 };

struct KindRow {
  Kind kind;
  std::string_view name;
  Reach reach;
  unsigned keys;
  Milliseconds wait;  ///< Where `for` says nothing.
  int at;             ///< Where `at` says nothing.
};

// A stall without an end is an hour: past every client's patience.
constexpr std::array kinds{
    KindRow{Kind::slow_start, "slow-start", Reach::all, wait, Milliseconds(5000), 0},
    KindRow{Kind::empty_answer, "empty-answer", Reach::words, nothing, {}, 0},
    KindRow{Kind::truncated_tool_input, "truncated-tool-input", Reach::words, nothing, {}, 0},
    KindRow{Kind::stall, "stall", Reach::streams, at | wait, Milliseconds(3'600'000), 2},
    KindRow{Kind::drop, "drop", Reach::answers, at, {}, 2},
    KindRow{Kind::cut, "cut", Reach::streams, at, {}, 2},
    KindRow{Kind::jitter, "jitter", Reach::streams, wait, Milliseconds(100), 0},
    KindRow{Kind::sliced, "sliced", Reach::streams, wait | bytes, {}, 0},
    KindRow{Kind::bad_crc, "bad-crc", Reach::event_streams, at, {}, 2},
    KindRow{Kind::malformed, "malformed", Reach::whole, nothing, {}, 0},
    KindRow{Kind::no_metadata, "no-metadata", Reach::event_streams, nothing, {}, 0},
};
constexpr int bytes_by_default = 7;  // cuts a frame's prelude

struct ExceptionRow {
  ErrorCode code;
  bool in_streams;  ///< A member of ResponseStream or ConverseStreamOutput.
  std::string_view message;
};

constexpr std::string_view unexpected =
    "The system encountered an unexpected error during processing. Try your request again.";

// Source of the first texts: recorded answers of the service; the others are worded alike.
constexpr std::array exceptions{
    ExceptionRow{ErrorCode::throttling, true,
                 "Too many requests, please wait before trying again."},
    ExceptionRow{ErrorCode::service_unavailable, true,
                 "Bedrock is unable to process your request."},
    ExceptionRow{ErrorCode::validation, true, "The provided model identifier is invalid."},
    ExceptionRow{ErrorCode::resource_not_found, false,
                 "Could not resolve the foundation model from the provided model identifier."},
    ExceptionRow{ErrorCode::access_denied, false,
                 "You don't have access to the model with the specified model ID."},
    ExceptionRow{ErrorCode::internal_server, true, unexpected},
    ExceptionRow{ErrorCode::model_error, false, unexpected},
    ExceptionRow{ErrorCode::model_stream_error, true, unexpected},
    ExceptionRow{ErrorCode::model_timeout, true,
                 "Model has timed out in processing the request. Try your request again."},
    ExceptionRow{ErrorCode::model_not_ready, false,
                 "Model is not ready for inference. Wait and try your request again."},
    ExceptionRow{ErrorCode::service_quota_exceeded, false,
                 "Your request exceeds a service quota of your account."},
    ExceptionRow{ErrorCode::conflict, false, "The resource is being changed by another request."},
    ExceptionRow{ErrorCode::resource_in_use, false, "The resource is in use."},
    ExceptionRow{ErrorCode::too_many_tags, false, "The resource has too many tags."},
};

/// A fault while it is read.
struct Draft {
  Fault fault;
  unsigned keys = nothing;
  bool has_at = false;
  bool has_wait = false;
  int line = 0;
};

Result<void> set_name(const Source& source, const Value& value, Draft& draft) {
  CRATON_TRY_ASSIGN(draft.fault.name, text_of(source, value, "fault"));
  return {};
}
Result<void> set_message(const Source& source, const Value& value, Draft& draft) {
  CRATON_TRY_ASSIGN(draft.fault.message, text_of(source, value, "message"));
  draft.keys |= texts;
  return {};
}
Result<void> set_retry_after(const Source& source, const Value& value, Draft& draft) {
  CRATON_TRY_ASSIGN(draft.fault.retry_after, duration(source, value, "retry-after"));
  draft.keys |= texts;
  return {};
}
Result<void> set_at(const Source& source, const Value& value, Draft& draft) {
  CRATON_TRY_ASSIGN(draft.fault.at, whole_number(source, value, "at", 1, 1'000'000));
  draft.keys |= at;
  draft.has_at = true;
  return {};
}
Result<void> set_wait(const Source& source, const Value& value, Draft& draft) {
  CRATON_TRY_ASSIGN(draft.fault.wait, duration(source, value, "for"));
  draft.keys |= wait;
  draft.has_wait = true;
  return {};
}
Result<void> set_bytes(const Source& source, const Value& value, Draft& draft) {
  CRATON_TRY_ASSIGN(draft.fault.bytes, whole_number(source, value, "bytes", 1, 1'000'000));
  draft.keys |= bytes;
  return {};
}
Result<void> set_match(const Source& source, const Value& value, Draft& draft) {
  CRATON_TRY_ASSIGN(draft.fault.match, rules::Matcher::read(source, value));
  return {};
}
Result<void> set_probability(const Source& source, const Value& value, Draft& draft) {
  CRATON_TRY_ASSIGN(draft.fault.probability, number(source, value, "probability", 0, 1));
  return {};
}
Result<void> set_seed(const Source& source, const Value& value, Draft& draft) {
  CRATON_TRY_ASSIGN(const int seed, whole_number(source, value, "seed", 0, 2'000'000'000));
  draft.fault.seed = static_cast<std::uint64_t>(seed);
  return {};
}
Result<void> set_count(const Source& source, const Value& value, Draft& draft) {
  CRATON_TRY_ASSIGN(draft.fault.count, whole_number(source, value, "count", 1, 1'000'000'000));
  return {};
}
Result<void> set_after(const Source& source, const Value& value, Draft& draft) {
  CRATON_TRY_ASSIGN(draft.fault.after, whole_number(source, value, "after", 0, 1'000'000'000));
  return {};
}

constexpr std::array keys{
    Key<Draft>{"fault", set_name},  Key<Draft>{"message", set_message},
    Key<Draft>{"at", set_at},       Key<Draft>{"retry-after", set_retry_after},
    Key<Draft>{"for", set_wait},    Key<Draft>{"bytes", set_bytes},
    Key<Draft>{"match", set_match}, Key<Draft>{"probability", set_probability},
    Key<Draft>{"seed", set_seed},   Key<Draft>{"count", set_count},
    Key<Draft>{"after", set_after},
};

std::string_view key_name(unsigned key) {
  switch (key) {
    case at: return "at";
    case wait: return "for";
    case bytes: return "bytes";
    default: return "message or retry-after";
  }
}

Result<void> check_keys(const Source& source, const Draft& draft, unsigned allowed) {
  for (const unsigned key : {at, wait, bytes, texts}) {
    if ((draft.keys & key) == 0 || (allowed & key) != 0) continue;
    return source.wrong(draft.line, draft.fault.name + " has no " + std::string(key_name(key)));
  }
  return {};
}

Result<void> settle_exception(const Source& source, Draft& draft, const ExceptionRow& row) {
  CRATON_TRY(check_keys(source, draft, at | texts));
  Fault& fault = draft.fault;
  if (fault.at > 0 && !row.in_streams) {
    return source.wrong(draft.line, fault.name +
                                        " does not come within a stream; leave 'at' out, or take "
                                        "InternalServer-, ModelStreamError-, ModelTimeout-, "
                                        "ServiceUnavailable-, Throttling- or ValidationException");
  }
  fault.kind = Kind::exception;
  fault.code = row.code;
  if (fault.message.empty()) fault.message = std::string(row.message);
  return {};
}

Error unknown_kind(const Source& source, const Draft& draft) {
  std::vector<std::string_view> names;
  for (const KindRow& row : kinds) names.push_back(row.name);
  for (const ExceptionRow& row : exceptions) names.push_back(shape_of(row.code).name);
  if (draft.fault.name.empty()) {
    return source.wrong(draft.line, "fault: say which one, such as ThrottlingException or stall");
  }
  const std::string near = rules::did_you_mean(draft.fault.name, names);
  return source.wrong(draft.line, "there is no fault '" + draft.fault.name.substr(0, 60) + "'" +
                                      (near.empty() ? "; docs/faults.md lists them" : near));
}

}  // namespace

Result<Fault> read_fault(const Source& source, const Value& value) {
  Draft draft;
  draft.line = value.line;
  CRATON_TRY(read_map(source, value, "a fault", std::span<const Key<Draft>>(keys), draft));
  Fault& fault = draft.fault;
  for (const ExceptionRow& row : exceptions) {
    if (shape_of(row.code).name != fault.name) continue;
    CRATON_TRY(settle_exception(source, draft, row));
    return std::move(fault);
  }
  const auto row = std::ranges::find(kinds, fault.name, &KindRow::name);
  if (row == kinds.end()) return unknown_kind(source, draft);
  CRATON_TRY(check_keys(source, draft, row->keys));
  fault.kind = row->kind;
  if (!draft.has_at) fault.at = row->at;
  if (!draft.has_wait) fault.wait = row->wait;
  if (fault.bytes == 0) fault.bytes = bytes_by_default;
  return std::move(fault);
}

Result<Fault> read_fault_words(std::string_view text, std::string_view name) {
  const Source source{std::string(name), {}};
  CRATON_TRY_ASSIGN(const Value value, rules::read_words(text, "fault", source));
  return read_fault(source, value);
}

bool applies(const Fault& fault, const Request& request) {
  const bool counts =
      request.operation.ends_with("CountTokens") || request.operation.ends_with("count_tokens");
  if (fault.kind == Kind::exception) return fault.at == 0 || (request.streamed && !counts);
  const auto row = std::ranges::find(kinds, fault.kind, &KindRow::kind);
  switch (row->reach) {
    case Reach::all: return true;
    case Reach::answers: return !counts;
    case Reach::words: return !counts && request.wanted == Wanted::text;
    case Reach::whole: return !counts && !request.streamed;
    case Reach::streams: return request.streamed;
    case Reach::event_streams: break;
  }
  return request.operation == "ConverseStream" ||
         request.operation == "InvokeModelWithResponseStream";
}

}  // namespace craton::engines::faults
