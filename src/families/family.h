// Provider families: each maps its provider's native InvokeModel body onto a Conversation, and an
// Answer onto the provider's native reply.
//
// One file and one row a family; nothing outside this floor asks "is this Claude?". A family knows
// nothing of engines. No I/O: any function may be called from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "conversation/conversation.h"
#include "conversation/event.h"

namespace craton::families {

/// What a family needs to know of the model id that was asked for.
struct ModelContext {
  std::string_view model_id;             ///< Base id, without geography prefix: "meta.llama2-13b-chat-v1"
  std::optional<int> context_tokens;     ///< As the catalogue promises.
  std::optional<int> output_tokens_max;  ///< As the catalogue promises.
};

/// A native body, read.
struct NativeRequest {
  Conversation conversation;
  /// The input text as the caller sent it, for replies that repeat it (Cohere, J2).
  std::string echo;
};

/// What a reply is made of.
struct ReplyContext {
  const ModelContext& model;
  const NativeRequest& request;
  const Answer& answer;
  std::string_view request_id;
};

struct Family {
  std::string_view name;  ///< "anthropic.messages"

  /// True when this family's schema applies to the model id and the body's top-level shape.
  bool (*applies)(std::string_view model_id, bool has_messages);

  /// Reads a native body. Fails with `validation` in the provider's words.
  Result<NativeRequest> (*parse)(const ModelContext& model, std::string_view body);

  /// The native reply, JSON text.
  std::string (*render)(const ReplyContext& context);

  /// The provider's refusal of a prompt that does not fit.
  Error (*too_long)(const InputTooLong& measured);
};

/// The family of `model_id` for this body; nullptr when no family speaks for the id (yet).
const Family* family_of(std::string_view model_id, std::string_view body);

}  // namespace craton::families
