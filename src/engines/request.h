// Request: what is asked, as whoever chooses an answer may look at it: rules, faults, recordings.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conversation/conversation.h"
#include "engines/native_call.h"

namespace craton::engines {

/// What is wanted of whoever answers.
enum class Wanted {
  text,        ///< A turn of the conversation.
  embeddings,  ///< Vectors of texts and images.
  ranking,     ///< How well documents answer a query.
  drawings,    ///< Pictures. The last one.
};

/// Holds as long as what it refers to; an engine that answers later keeps copies.
struct Request {
  std::string_view operation;      ///< "ConverseStream", "openai.chat_completions"
  std::string_view model_id;       ///< Of the catalogue, without geography.
  std::string_view asked_id = {};  ///< As the caller named it: with geography, or an ARN.
  bool streamed = false;           ///< The answer goes out while it is made.
  /// `requestMetadata` of Converse, or InvokeModel's header of that name.
  std::vector<std::pair<std::string, std::string>> metadata;
  /// Its documents may be unread. Where no turn of it is wanted: the texts that are asked about, or
  /// what is to be drawn, as a user's turn.
  const Conversation& conversation;
  Wanted wanted = Wanted::text;
  const NativeCall* native = nullptr;  ///< Of what is wanted otherwise than as text.
  /// What it was asked with: a header of HTTP by its name, in whatever case. Null: with none.
  std::function<std::optional<std::string_view>(std::string_view name)> header = nullptr;
};

}  // namespace craton::engines
