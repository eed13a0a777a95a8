// Conversation: the canonical request. Every provider's native schema is a mapping onto it, and
// every engine answers it.
//
// Plain values: no I/O, no threads.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace craton {

struct TextBlock {
  std::string text;  ///< UTF-8

  friend bool operator==(const TextBlock&, const TextBlock&) = default;
};

struct ImageBlock {
  std::string format;  ///< "png", "jpeg", "gif" or "webp", as the caller labels it.
  std::string bytes;   ///< The image's file.

  friend bool operator==(const ImageBlock&, const ImageBlock&) = default;
};

/// A file to be read. Engines never see one: the service puts the document's text in its place.
struct DocumentBlock {
  std::string format;   ///< "pdf", "csv", "docx", … , as the caller labels it.
  std::string name;     ///< What the conversation calls it.
  std::string bytes;    ///< The document's file.
  std::string context;  ///< What the caller says about it.

  friend bool operator==(const DocumentBlock&, const DocumentBlock&) = default;
};

/// A call that the assistant made.
struct ToolUseBlock {
  std::string id;     ///< By which a result names it; empty while an answer is being made.
  std::string name;   ///< Of the tool
  std::string input;  ///< A JSON object, as text.

  friend bool operator==(const ToolUseBlock&, const ToolUseBlock&) = default;
};

/// JSON that a tool answered with is a TextBlock: the JSON's text.
using ToolResultPart = std::variant<TextBlock, ImageBlock, DocumentBlock>;

/// What a call gave; a part of a user's turn.
struct ToolResultBlock {
  std::string tool_use_id;
  std::vector<ToolResultPart> content;
  bool is_error = false;

  friend bool operator==(const ToolResultBlock&, const ToolResultBlock&) = default;
};

/// What the assistant thought before it answered. Engines may leave earlier thoughts out.
struct ReasoningBlock {
  std::string text;
  std::string signature;  ///< The provider's seal, handed back by callers; empty without one.
  std::string redacted;   ///< In place of text: thoughts that callers hold without reading them.

  friend bool operator==(const ReasoningBlock&, const ReasoningBlock&) = default;
};

using ContentBlock = std::variant<TextBlock, ImageBlock, DocumentBlock, ToolUseBlock,
                                  ToolResultBlock, ReasoningBlock>;

enum class Role { user, assistant };

struct Turn {
  Role role;
  std::vector<ContentBlock> content;

  friend bool operator==(const Turn&, const Turn&) = default;
};

/// Which tokens' likelihoods the caller wants to see.
enum class Likelihoods { none, generated, all };

/// How the next token is chosen. What is absent is the model's own default.
struct Sampling {
  std::optional<int> tokens_max;            ///< Most tokens to generate.
  std::optional<double> temperature;        ///< 0 is greedy.
  std::optional<double> top_p;              ///< 0 to 1
  std::optional<int> top_k;                 ///< 0 is off.
  std::optional<double> frequency_penalty;  ///< For each time that a token was generated; 0 is off.
  std::optional<double> presence_penalty;   ///< Once for each token generated; 0 is off.
  std::optional<std::uint32_t> seed;        ///< Same seed, same request: same text.
  std::vector<std::string> stop_sequences;  ///< Generation ends before the first that appears.
  Likelihoods likelihoods = Likelihoods::none;

  friend bool operator==(const Sampling&, const Sampling&) = default;
};

struct Tool {
  std::string name;
  std::string description;   ///< May be empty.
  std::string input_schema;  ///< JSON Schema of an object, as JSON text.

  friend bool operator==(const Tool&, const Tool&) = default;
};

enum class ToolChoice {
  automatic,  ///< The model decides.
  any,        ///< One of the tools is called.
  named,      ///< That tool is called.
  none,       ///< No tool is called, though some are offered.
};

struct Tools {
  std::vector<Tool> offered;
  ToolChoice choice = ToolChoice::automatic;
  std::string named;     ///< For ToolChoice::named; one of `offered`.
  bool parallel = true;  ///< False: one call a turn at most.

  friend bool operator==(const Tools&, const Tools&) = default;
};

/// The answer's text is to be JSON.
struct ResponseFormat {
  std::string schema;  ///< JSON Schema, as JSON text. Empty: any JSON object.

  friend bool operator==(const ResponseFormat&, const ResponseFormat&) = default;
};

/// Whether the model is to think before it answers, where it can.
struct Reasoning {
  bool wanted = false;
  std::optional<int> budget_tokens;  ///< Most tokens of thought.

  friend bool operator==(const Reasoning&, const Reasoning&) = default;
};

/// Between blocks: behind `turns` whole turns and `blocks` blocks of the next one. {} is behind the
/// tools and the system's text.
struct Place {
  std::size_t turns = 0;
  std::size_t blocks = 0;

  friend auto operator<=>(const Place&, const Place&) = default;
};

/// How long a caller wants what it marked to be kept. An engine's cache keeps what is used; the
/// usage counts what was written by it.
enum class CacheLife { minutes, hour };

struct Conversation {
  std::vector<TextBlock> system;
  /// At least one turn. When the last is the assistant's, the answer continues its text.
  std::vector<Turn> turns;
  Sampling sampling;
  Tools tools;
  std::optional<ResponseFormat> format;
  Reasoning reasoning;
  /// The caller marked prefixes of the conversation as worth caching, or speaks an API that caches
  /// unasked: cached tokens are told apart.
  bool caching = false;
  /// The last of those marks; absent: all of the conversation. Past its end is the same.
  std::optional<Place> cached_until;
  CacheLife cache_life = CacheLife::minutes;  ///< Of that mark.
  /// True: no chat template. The only turn's text is the prompt as it stands, for models that are
  /// completed rather than talked to.
  bool raw_completion = false;

  friend bool operator==(const Conversation&, const Conversation&) = default;
};

/// The text blocks of `turn`, one after the other; other blocks are left out.
std::string text_of(const Turn& turn);

/// Appends a text to the last turn, or a turn with that text when the last has another role.
void append_turn(Conversation& conversation, Role role, std::string text);

/// Marks the conversation up to `place` as worth caching, for so long.
void mark_for_cache(Conversation& conversation, Place place, CacheLife life = CacheLife::minutes);

/// The images of turns and of tools' results, in the order in which they stand. The pointers are
/// into `conversation`.
std::vector<const ImageBlock*> images_of(const Conversation& conversation);

/// True when some turn, or some tool's result, holds an image.
bool has_images(const Conversation& conversation);

/// The same of a document.
bool has_documents(const Conversation& conversation);

}  // namespace craton
