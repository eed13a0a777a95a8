// Cassettes: interactions as lines of JSON, one each.
//
//   {"request":{"inferenceConfig":…,"messages":…,"model":"anthropic.claude-3-haiku-20240307-v1:0",…},
//    "operation":"ConverseStream","engine":"llama","engineModel":"qwen2.5-coder-0.5b-instruct-q4_k_m",
//    "recorded":"2026-11-26T12:00:00Z",
//    "events":[{"at":0,"start":{"inputTokens":12}},{"at":81,"text":"Seoul","outputTokens":2},…,
//              {"at":99,"stop":"end_turn"},{"at":99,"usage":{"inputTokens":12,"outputTokens":3}}]}
//
// Of vectors and pictures, which are no conversation, both sides are in the form of the provider;
// the answer is a `reply` in the place of `events`, or `events` that are one failure:
//
//   {"request":{"body":{"inputText":"granite"},"model":"amazon.titan-embed-text-v2:0"},…,
//    "reply":{"at":12,"inputTokens":2,"body":{"embedding":[…],…}}}
//
// A body that is no JSON is `base64`, with its `contentType` and `headers`.
//
// `at`: milliseconds since the answer was begun. No credentials, no account, no ids of requests.
//
// No I/O but where a folder is named; no globals.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "conversation/event.h"
#include "engines/native_call.h"

namespace craton::engines::replay {

/// Of a line; longer ones are not read, and not written.
inline constexpr std::size_t line_bytes_max = 64 << 20;

struct TimedEvent {
  Milliseconds at{0};
  Event event;
};

struct TimedReply {
  Milliseconds at{0};
  NativeReply reply;
};

struct Interaction {
  std::string operation;
  std::string engine;        ///< Engine::kind() of what answered,
  std::string engine_model;  ///< and Engine::model().
  std::string recorded;      ///< RFC 3339
  std::string request;       ///< Canonical (request_key.h), as JSON text.
  std::vector<TimedEvent> events;
  std::optional<TimedReply> reply = std::nullopt;  ///< In place of events.
};

/// One line, without its end.
std::string line_of(const Interaction& interaction);

/// Fails with `validation`; the message says what is wrong.
Result<Interaction> interaction_of(std::string_view line);

/// The files of a folder that hold interactions, sorted: "*.jsonl". A file is itself one. Fails
/// with `validation` when there is no such folder.
Result<std::vector<std::filesystem::path>> cassette_files(const std::filesystem::path& folder);

struct Placed {
  Interaction interaction;
  std::filesystem::path file;
  int line = 0;  ///< From 1.
};

/// All interactions of a folder, in the order of files and lines. Fails with `validation`: file,
/// line and what is wrong.
Result<std::vector<Placed>> read_cassettes(const std::filesystem::path& folder);

}  // namespace craton::engines::replay
