// Provider families: each maps its provider's native InvokeModel body onto a Conversation, and an
// Answer onto the provider's native reply.
//
// One file and one row a family (docs/native-schemas.md describes the schemas); nothing outside
// this floor asks "is this Claude?". A family knows nothing of engines. No I/O: any function may be
// called from any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "conversation/conversation.h"
#include "conversation/event.h"

namespace craton::families {

/// What a family needs to know of the model id that was asked for.
struct ModelContext {
  std::string_view model_id;  ///< Base id, without geography prefix: "meta.llama2-13b-chat-v1"
  std::optional<int> context_tokens;     ///< As the catalogue promises.
  std::optional<int> output_tokens_max;  ///< As the catalogue promises.
};

/// A native body, read.
struct NativeRequest {
  Conversation conversation;
  /// The input text as the caller sent it, for replies that repeat it (Cohere, J2).
  std::string echo;
  /// The blanks that the provider's model begins such an answer with; callers strip them or rely on
  /// them. Empty when the answer continues text of the caller's.
  std::string lead;
  /// Members of the body that are valid and that no engine honours ("metadata",
  /// "presencePenalty"): the answer does without, so whoever runs the server should be told.
  std::vector<std::string> ignored_fields;
};

/// What a reply is made of.
struct ReplyContext {
  const ModelContext& model;
  const NativeRequest& request;
  const Answer& answer;
  std::string_view request_id;
  WallTime now = system_now();  ///< For replies that carry the time they were made.
};

/// Which bodies a family reads, of those sent to its model ids.
enum class BodyShape {
  any,
  prompt,  ///< Those without `messages`, or with both `messages` and `prompt`.
};

struct Family {
  std::string_view name;  ///< "anthropic.messages"

  std::span<const std::string_view> id_prefixes;  ///< Of the model ids that speak this schema.
  BodyShape shape;

  /// Reads a native body. Fails with `validation` in the provider's words.
  Result<NativeRequest> (*parse)(const ModelContext& model, std::string_view body);

  /// The native reply, JSON text in UTF-8 whatever the answer's bytes are.
  std::string (*render)(const ReplyContext& context);

  /// The provider's refusal of a prompt that does not fit.
  Error (*too_long)(const InputTooLong& measured);
};

/// Every family. The first whose prefix and shape fit speaks for a model id and body.
std::span<const Family* const> all_families();

/// The family of `model_id` for this body; when it speaks for the id and reads no such bodies, it
/// is the one that says so. nullptr when no family speaks for the id (yet).
const Family* family_of(std::string_view model_id, std::string_view body);

}  // namespace craton::families
