// Client: Amazon Bedrock, at AWS or at a Craton server, from C++.
//
//   auto client = craton::Client::make({.profile = "default"});
//   if (!client) …                                    // client.error().message says what to do
//   craton::Conversation conversation;
//   craton::append_turn(conversation, craton::Role::user, "대한민국의 수도는?");
//   auto answer = client->converse("anthropic.claude-3-haiku-20240307-v1:0", conversation).get();
//   std::cout << (answer ? answer->text() : answer.error().message);
//
// Profiles, variables, roles, SSO and endpoints are found as every AWS SDK finds them. Nothing here
// throws, but for unwrap().
//
// Threads: any function may be called from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conversation/conversation.h"
#include "conversation/event.h"
#include "craton/call.h"

namespace craton {

struct ClientCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token = {};
};

/// How failures are tried again: as the SDKs' modes of these names.
enum class RetryMode {
  standard,
  adaptive,  ///< Sends no faster than the service has lately allowed.
};

/// What is empty or absent is looked for where the SDKs look: AWS_* variables, then the profile.
struct ClientOptions {
  std::string profile = {};       ///< Else AWS_PROFILE, else "default".
  std::string region = {};        ///< Else AWS_REGION, AWS_DEFAULT_REGION, the profile's.
  std::string endpoint_url = {};  ///< "http://127.0.0.1:8420", for both services.
  std::optional<ClientCredentials> credentials = std::nullopt;
  std::string bearer_token = {};  ///< A Bedrock API key; else AWS_BEARER_TOKEN_BEDROCK.
  std::string ca_bundle = {};     ///< PEM file of who is trusted; else AWS_CA_BUNDLE.
  std::string proxy = {};         ///< Else https_proxy, http_proxy, no_proxy.
  std::optional<bool> fips = std::nullopt;
  std::optional<bool> dual_stack = std::nullopt;
  std::optional<RetryMode> retry_mode = std::nullopt;
  int max_attempts = 0;  ///< Requests for one call; 0: as configured, else 3.
  std::chrono::milliseconds connect_timeout{10'000};
  /// Without a byte of the answer. Whole answers of large models take minutes.
  std::chrono::milliseconds read_timeout{600'000};
  /// A generation whose answer did not come in time may still run, and be paid for: it is asked for
  /// again only where this is set.
  bool retry_generations_after_time_out = false;
  std::string user_agent = {};  ///< Added to the client's own: "my-app/1.0".
};

/// A whole answer, as it came.
struct Reply {
  int status = 0;
  std::string request_id = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};  ///< JSON; of InvokeModel, what the model's provider defines.

  /// The value of that header, whatever its case; empty when there is none.
  std::string_view header(std::string_view name) const;
};

/// One event of an event stream.
struct StreamMessage {
  std::string type;     ///< "contentBlockDelta", "chunk"
  std::string payload;  ///< JSON; of "chunk", the provider's own, decoded.
};

/// What a listing tells of a model.
struct ModelSummary {
  std::string arn;
  std::string id;
  std::string name;
  std::string provider;
  std::vector<std::string> input_modalities;   ///< "TEXT", "IMAGE", …
  std::vector<std::string> output_modalities;  ///< "TEXT", "IMAGE", "EMBEDDING", …
  std::vector<std::string> customizations;
  std::vector<std::string> inference_types;  ///< "ON_DEMAND", "PROVISIONED", "INFERENCE_PROFILE"
  bool streaming = false;
  std::string status;  ///< "ACTIVE", "LEGACY"
};

/// What is asked of ListFoundationModels; empty: all.
struct ModelFilter {
  std::string provider = {};
  std::string output_modality = {};
  std::string inference_type = {};
  std::string customization = {};
};

struct InvokeOptions {
  std::string content_type = "application/json";
  std::string accept = "application/json";
  std::string guardrail_id = {};
  std::string guardrail_version = {};
  std::string trace = {};         ///< "ENABLED"
  std::string latency = {};       ///< "optimized"
  std::string service_tier = {};  ///< "priority", "flex"
};

/// What Converse takes beside the conversation.
struct ConverseOptions {
  std::string additional_fields = {};  ///< JSON object: additionalModelRequestFields.
  std::string latency = {};
  std::string service_tier = {};
  std::string guardrail_id = {};
  std::string guardrail_version = {};
};

// What stands where nothing is told: objects with a name, as g++ 12 destroys temporary ones twice
// in a statement that awaits.
inline const ModelFilter any_model{};
inline const InvokeOptions invoke_defaults{};
inline const ConverseOptions converse_defaults{};

class Client {
 public:
  /// Fails with Kind::configuration: no Region, a profile that is not there, a malformed URL.
  static Outcome<Client> make(const ClientOptions& options = {});
  ~Client();  ///< Ends what is in progress, with Kind::cancelled.
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// Any operation of Bedrock's two APIs, by name. `input`: a JSON object of its members, as the
  /// service model names them; a body that is a blob (InvokeModel's) is a string of its bytes.
  Call<Reply> call(std::string_view operation, std::string_view input) const;

  /// The same of operations that answer with a stream.
  Call<Stream<StreamMessage>> call_stream(std::string_view operation, std::string_view input) const;

  Call<std::vector<ModelSummary>> list_foundation_models(
      const ModelFilter& filter = any_model) const;
  Call<ModelSummary> get_foundation_model(std::string_view model_id) const;

  /// `body`: as the model's provider defines it.
  Call<Reply> invoke_model(std::string_view model_id, std::string body,
                           const InvokeOptions& options = invoke_defaults) const;
  Call<Stream<StreamMessage>> invoke_model_stream(
      std::string_view model_id, std::string body,
      const InvokeOptions& options = invoke_defaults) const;

  /// Fails with Kind::configuration when the conversation says what Converse has no member for
  /// (top_k, seed, …): these go into additional_fields, as the model's provider names them.
  Call<Answer> converse(std::string_view model_id, const Conversation& conversation,
                        const ConverseOptions& options = converse_defaults) const;
  Call<Stream<Event>> converse_stream(std::string_view model_id, const Conversation& conversation,
                                      const ConverseOptions& options = converse_defaults) const;

  /// Tokens of the prompt.
  Call<int> count_tokens(std::string_view model_id, const Conversation& conversation) const;

  /// `content`: JSON, the operation's member of that name. The reply's body has `action`.
  Call<Reply> apply_guardrail(std::string_view guardrail_id, std::string_view version,
                              std::string_view source, std::string_view content) const;

  /// `model_input`: JSON. The reply's body has `invocationArn`.
  Call<Reply> start_async_invoke(std::string_view model_id, std::string_view model_input,
                                 std::string_view output_s3_uri) const;
  Call<Reply> get_async_invoke(std::string_view invocation_arn) const;
  Call<Reply> list_async_invokes() const;

  const std::string& region() const;

  /// Where requests to the runtime go: "https://bedrock-runtime.us-east-1.amazonaws.com".
  const std::string& endpoint_url() const;

 private:
  class Impl;
  explicit Client(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace craton
