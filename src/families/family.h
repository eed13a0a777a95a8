// Provider families: each maps its provider's native InvokeModel body onto a Conversation, and an
// Answer onto the provider's native reply, or its Events onto the pieces of a streamed one.
//
// One file and one row a family (docs/native-schemas.md describes the schemas); nothing outside
// this floor asks "is this Claude?". A family knows nothing of engines. No I/O: any function may be
// called from any thread.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "conversation/conversation.h"
#include "conversation/event.h"

namespace craton::families {

/// What a family needs to know of the model id that was asked for.
struct ModelContext {
  std::string_view model_id;  ///< Base id, without geography prefix: "meta.llama2-13b-chat-v1"
  std::optional<int> context_tokens;     ///< As the catalogue promises.
  std::optional<int> output_tokens_max;  ///< As the catalogue promises.
  bool prompt_caching = false;           ///< As the catalogue promises.
};

/// A native body, read.
struct NativeRequest {
  Conversation conversation;
  /// How many answers are asked for; each is made by itself, with the next seed where one is given.
  int generations = 1;
  /// The input text as the caller sent it, for replies that repeat it (Cohere, J2).
  std::string echo;
  /// The blanks that the provider's model begins such an answer with; callers strip them or rely on
  /// them. Empty when the answer continues text of the caller's.
  std::string lead;
  /// The body itself, where the reply repeats more of it than `echo` (Command R's chat history).
  json::object body;
  /// False: the body asks that a streamed reply come as one piece (Cohere Command without
  /// `stream`).
  bool streams_pieces = true;
  /// What the body itself says of a streamed reply. Bedrock refuses one that disagrees with the
  /// route; where the route says nothing, it decides.
  std::optional<bool> streamed;
  /// Members of the body that are valid and that no engine honours ("metadata",
  /// "presencePenalty"): the answer does without, so whoever runs the server should be told.
  std::vector<std::string> ignored_fields;
};

/// What a reply is made of.
struct ReplyContext {
  const ModelContext& model;
  const NativeRequest& request;
  std::span<const Answer> answers;  ///< As many as `request.generations`; at least one.
  std::string_view request_id;
  WallTime now = system_now();  ///< For replies that carry the time they were made.

  const Answer& answer() const { return answers.front(); }
};

/// What a streamed reply is made of. What it refers to outlives the StreamWriter.
struct StreamContext {
  const ModelContext& model;
  const NativeRequest& request;
  std::string_view request_id;
  WallTime now = system_now();
};

/// Writes one streamed reply, event by event.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;

  /// Appends the native pieces that `event` brings, each a JSON object's text in UTF-8: none, one
  /// or several. Usage, the last event, brings at least one; whoever frames the pieces adds
  /// Bedrock's metrics to the last of all. Failure never comes here. Of `request.generations`
  /// answers, which are made one after the other, `generation` says whose event it is; only the
  /// last one's Usage ends the reply.
  virtual void write(const Event& event, int generation, std::vector<std::string>& pieces) = 0;
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

  /// The writer of a streamed reply; null: Bedrock does not stream this family.
  std::unique_ptr<StreamWriter> (*stream)(const StreamContext& context) = nullptr;

  /// The provider's refusal of a prompt that does not fit.
  Error (*too_long)(const InputTooLong& measured);

  /// Applies native members that a Converse request carries beside its own
  /// (additionalModelRequestFields): {"top_k": 50}. Adds those that no engine honours to
  /// `ignored_fields`. Fails with `validation` in the provider's words, "Malformed input request:
  /// …". null: the family takes none.
  Result<void> (*apply_additional)(const ModelContext& model, const json::object& fields,
                                   NativeRequest& request) = nullptr;

  /// Whether a model tells StopReason::full_context; null: none does, and such answers are given as
  /// StopReason::max_tokens.
  bool (*tells_full_context)(std::string_view model_id) = nullptr;
};

/// Every family. The first whose prefix and shape fit speaks for a model id and body.
std::span<const Family* const> all_families();

/// The family of `model_id` for this body; when it speaks for the id and reads no such bodies, it
/// is the one that says so. nullptr when no family speaks for the id (yet).
const Family* family_of(std::string_view model_id, std::string_view body);

/// The family that speaks for a model id that is talked to rather than sent a native body: of
/// several, the one that reads messages. nullptr as above.
const Family* chat_family_of(std::string_view model_id);

}  // namespace craton::families
