#include "craton/client.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <deque>
#include <mutex>
#include <utility>

#include "api/operation.h"
#include "base/json.h"
#include "base/nearest.h"
#include "client/caller.h"
#include "client/converse_form.h"
#include "client/errors.h"
#include "client/request.h"
#include "client/settings.h"

namespace craton {
namespace {

using client::Caller;
using client::WireRequest;
using Kind = CallError::Kind;

/// A call that ends before it begins.
template <class T>
Call<T> failed(Kind kind, const Error& error) {
  return Call<T>([told = client::refused(kind, error)](typename Call<T>::Callback callback) {
    callback(tl::unexpected(told));
    return Cancel([] {});
  });
}

/// `call`, its value read by `read`, which gives an Outcome<T>.
template <class T, class From, class Read>
Call<T> mapped(Call<From> call, Read read) {
  auto kept = std::make_shared<Call<From>>(std::move(call));
  return Call<T>([kept, read = std::move(read)](typename Call<T>::Callback callback) {
    return std::move(*kept).then([read, callback = std::move(callback)](Outcome<From> outcome) {
      if (!outcome) return callback(tl::unexpected(std::move(outcome.error())));
      callback(read(std::move(*outcome)));
    });
  });
}

Result<json::object> object_of(std::string_view text, const char* what) {
  CRATON_TRY_ASSIGN(json::value value, json::parse(text));
  if (value.is_object()) return std::move(value.get_object());
  return Error{ErrorCode::validation, std::string(what) + " is no JSON object"};
}

struct Prepared {
  const api::Operation* operation;
  WireRequest request;
};

Result<Prepared> prepare(std::string_view name, const json::object& input) {
  const api::Operation* operation = api::find_operation(name);
  if (!operation) {
    std::vector<std::string_view> names;
    for (const api::Operation& one : api::operations()) names.push_back(one.name);
    const std::string_view near = nearest(name, names);
    return Error{ErrorCode::validation,
                 "Bedrock has no operation '" + std::string(name) + "'" +
                     (near.empty() ? "" : "; did you mean '" + std::string(near) + "'?")};
  }
  CRATON_TRY_ASSIGN(WireRequest request, client::write_request(*operation, input));
  return Prepared{operation, std::move(request)};
}

std::vector<std::string> texts_at(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  const json::value* found = object.if_contains(name);
  if (!found || !found->is_array()) return texts;
  for (const json::value& item : found->get_array()) {
    if (item.is_string()) texts.emplace_back(item.get_string());
  }
  return texts;
}

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

ModelSummary summary_of(const json::object& model) {
  ModelSummary summary;
  summary.arn = text_at(model, "modelArn");
  summary.id = text_at(model, "modelId");
  summary.name = text_at(model, "modelName");
  summary.provider = text_at(model, "providerName");
  summary.input_modalities = texts_at(model, "inputModalities");
  summary.output_modalities = texts_at(model, "outputModalities");
  summary.customizations = texts_at(model, "customizationsSupported");
  summary.inference_types = texts_at(model, "inferenceTypesSupported");
  const json::value* streaming = model.if_contains("responseStreamingSupported");
  summary.streaming = streaming && streaming->is_bool() && streaming->get_bool();
  if (const json::value* life = model.if_contains("modelLifecycle"); life && life->is_object()) {
    summary.status = text_at(life->get_object(), "status");
  }
  return summary;
}

/// The JSON object that a reply is, read by `read`.
template <class T, class Read>
auto reading(Read read) {
  return [read](const Reply& reply) -> Outcome<T> {
    Result<json::object> object = object_of(reply.body, "the service's answer");
    if (object) {
      Result<T> value = read(*object);
      if (value) return std::move(*value);
      object = Result<json::object>(std::move(value.error()));
    }
    CallError error = client::refused(Kind::protocol, object.error());
    error.request_id = reply.request_id;
    error.status = reply.status;
    return tl::unexpected(std::move(error));
  };
}

json::object invoke_input(std::string_view model_id, std::string body,
                          const InvokeOptions& options) {
  json::object input{{"modelId", model_id}, {"body", std::move(body)}};
  const std::pair<const char*, const std::string&> members[] = {
      {"contentType", options.content_type},
      {"accept", options.accept},
      {"guardrailIdentifier", options.guardrail_id},
      {"guardrailVersion", options.guardrail_version},
      {"trace", options.trace},
      {"performanceConfigLatency", options.latency},
      {"serviceTier", options.service_tier},
  };
  for (const auto& [name, value] : members) {
    if (!value.empty()) input[name] = value;
  }
  return input;
}

/// Events out of messages. A message may bring none, or several.
class EventSource : public StreamSource<Event>, public std::enable_shared_from_this<EventSource> {
 public:
  explicit EventSource(std::shared_ptr<StreamSource<StreamMessage>> messages)
      : messages_(std::move(messages)) {}

  Cancel next(std::function<void(Outcome<std::optional<Event>>)> callback) override {
    if (!events_.empty()) {
      Event event = std::move(events_.front());
      events_.pop_front();
      callback(std::optional<Event>(std::move(event)));
      return [] {};
    }
    return messages_->next([self = shared_from_this(), callback = std::move(callback)](
                               Outcome<std::optional<StreamMessage>> message) {
      self->take(std::move(message), callback);
    });
  }

  void cancel() override { messages_->cancel(); }

 private:
  void take(Outcome<std::optional<StreamMessage>> message,
            const std::function<void(Outcome<std::optional<Event>>)>& callback) {
    if (!message) return callback(tl::unexpected(std::move(message.error())));
    if (!*message) return callback(std::nullopt);
    Result<std::vector<Event>> events = reader_.read((*message)->type, (*message)->payload);
    if (!events) return callback(tl::unexpected(client::refused(Kind::protocol, events.error())));
    std::ranges::move(*events, std::back_inserter(events_));
    next(callback);
  }

  const std::shared_ptr<StreamSource<StreamMessage>> messages_;
  client::EventReader reader_;
  std::deque<Event> events_;
};

}  // namespace

std::string_view Reply::header(std::string_view name) const {
  const auto same = [&](const std::string& other) {
    return std::ranges::equal(name, other, [](unsigned char a, unsigned char b) {
      return std::tolower(a) == std::tolower(b);
    });
  };
  const auto found =
      std::ranges::find_if(headers, [&](const auto& field) { return same(field.first); });
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

class Client::Impl {
 public:
  explicit Impl(client::Settings settings)
      : caller_(std::make_shared<Caller>(std::move(settings))) {}
  ~Impl() { caller_->stop(); }

  const client::Settings& settings() const { return caller_->settings(); }

  Call<Reply> call(std::string_view operation, const json::object& input) const {
    Result<Prepared> prepared = prepare(operation, input);
    if (!prepared) return failed<Reply>(Kind::configuration, prepared.error());
    return Call<Reply>(
        [caller = caller_, prepared = std::move(*prepared)](Call<Reply>::Callback callback) {
          return caller->send(*prepared.operation, prepared.request, std::move(callback));
        });
  }

  Call<Stream<StreamMessage>> call_stream(std::string_view operation,
                                          const json::object& input) const {
    using Opened = Stream<StreamMessage>;
    Result<Prepared> prepared = prepare(operation, input);
    if (!prepared) return failed<Opened>(Kind::configuration, prepared.error());
    return Call<Opened>(
        [caller = caller_, prepared = std::move(*prepared)](Call<Opened>::Callback callback) {
          return caller->open(
              *prepared.operation, prepared.request,
              [callback = std::move(callback)](Outcome<Caller::OpenedStream> opened) {
                if (!opened) return callback(tl::unexpected(std::move(opened.error())));
                callback(Opened(std::move(opened->messages), std::move(opened->request_id)));
              });
        });
  }

 private:
  const std::shared_ptr<Caller> caller_;
};

Client::Client(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Outcome<Client> Client::make(const ClientOptions& options) {
  Result<client::Settings> settings = client::resolve(options);
  if (!settings) return tl::unexpected(client::refused(Kind::configuration, settings.error()));
  return Client(std::make_shared<const Impl>(std::move(*settings)));
}

const std::string& Client::region() const { return impl_->settings().region; }
const std::string& Client::endpoint_url() const { return impl_->settings().runtime_url; }

Call<Reply> Client::call(std::string_view operation, std::string_view input) const {
  const Result<json::object> object = object_of(input, "the input");
  if (!object) return failed<Reply>(Kind::configuration, object.error());
  return impl_->call(operation, *object);
}

Call<Stream<StreamMessage>> Client::call_stream(std::string_view operation,
                                                std::string_view input) const {
  const Result<json::object> object = object_of(input, "the input");
  if (!object) return failed<Stream<StreamMessage>>(Kind::configuration, object.error());
  return impl_->call_stream(operation, *object);
}

Call<std::vector<ModelSummary>> Client::list_foundation_models(const ModelFilter& filter) const {
  json::object input;
  const std::pair<const char*, const std::string&> members[] = {
      {"byProvider", filter.provider},
      {"byOutputModality", filter.output_modality},
      {"byInferenceType", filter.inference_type},
      {"byCustomizationType", filter.customization},
  };
  for (const auto& [name, value] : members) {
    if (!value.empty()) input[name] = value;
  }
  using Models = std::vector<ModelSummary>;
  return mapped<Models>(impl_->call("ListFoundationModels", input),
                        reading<Models>([](const json::object& reply) -> Result<Models> {
                          Models models;
                          const json::value* all = reply.if_contains("modelSummaries");
                          if (!all || !all->is_array()) return models;
                          for (const json::value& one : all->get_array()) {
                            if (one.is_object()) models.push_back(summary_of(one.get_object()));
                          }
                          return models;
                        }));
}

Call<ModelSummary> Client::get_foundation_model(std::string_view model_id) const {
  return mapped<ModelSummary>(
      impl_->call("GetFoundationModel", {{"modelIdentifier", model_id}}),
      reading<ModelSummary>([](const json::object& reply) -> Result<ModelSummary> {
        const json::value* details = reply.if_contains("modelDetails");
        if (details && details->is_object()) return summary_of(details->get_object());
        return Error{ErrorCode::serialization, "the service's answer has no modelDetails"};
      }));
}

Call<Reply> Client::invoke_model(std::string_view model_id, std::string body,
                                 const InvokeOptions& options) const {
  return impl_->call("InvokeModel", invoke_input(model_id, std::move(body), options));
}

Call<Stream<StreamMessage>> Client::invoke_model_stream(std::string_view model_id, std::string body,
                                                        const InvokeOptions& options) const {
  return impl_->call_stream("InvokeModelWithResponseStream",
                            invoke_input(model_id, std::move(body), options));
}

Call<Answer> Client::converse(std::string_view model_id, const Conversation& conversation,
                              const ConverseOptions& options) const {
  Result<json::object> input = client::converse_input(conversation, options);
  if (!input) return failed<Answer>(Kind::configuration, input.error());
  (*input)["modelId"] = model_id;
  return mapped<Answer>(impl_->call("Converse", *input), reading<Answer>(client::read_answer));
}

Call<Stream<Event>> Client::converse_stream(std::string_view model_id,
                                            const Conversation& conversation,
                                            const ConverseOptions& options) const {
  Result<json::object> input = client::converse_input(conversation, options);
  if (!input) return failed<Stream<Event>>(Kind::configuration, input.error());
  (*input)["modelId"] = model_id;
  return mapped<Stream<Event>>(impl_->call_stream("ConverseStream", *input),
                               [](Stream<StreamMessage> messages) -> Outcome<Stream<Event>> {
                                 std::string request_id = messages.request_id();
                                 return Stream<Event>(
                                     std::make_shared<EventSource>(messages.take_source()),
                                     std::move(request_id));
                               });
}

Call<int> Client::count_tokens(std::string_view model_id, const Conversation& conversation) const {
  Result<json::object> converse = client::converse_input(conversation, {});
  if (!converse) return failed<int>(Kind::configuration, converse.error());
  converse->erase("inferenceConfig");  // counts nothing, and has no member there
  converse->erase("outputConfig");
  const json::object input{{"modelId", model_id},
                           {"input", json::object{{"converse", std::move(*converse)}}}};
  return mapped<int>(
      impl_->call("CountTokens", input), reading<int>([](const json::object& reply) -> Result<int> {
        const json::value* tokens = reply.if_contains("inputTokens");
        if (tokens && tokens->is_int64()) {
          return static_cast<int>(tokens->get_int64());
        }
        return Error{ErrorCode::serialization, "the service's answer has no inputTokens"};
      }));
}

Call<Reply> Client::apply_guardrail(std::string_view guardrail_id, std::string_view version,
                                    std::string_view source, std::string_view content) const {
  Result<json::value> blocks = json::parse(content);
  if (!blocks) return failed<Reply>(Kind::configuration, blocks.error());
  return impl_->call("ApplyGuardrail", {{"guardrailIdentifier", guardrail_id},
                                        {"guardrailVersion", version},
                                        {"source", source},
                                        {"content", std::move(*blocks)}});
}

Call<Reply> Client::start_async_invoke(std::string_view model_id, std::string_view model_input,
                                       std::string_view output_s3_uri) const {
  Result<json::value> input = json::parse(model_input);
  if (!input) return failed<Reply>(Kind::configuration, input.error());
  return impl_->call(
      "StartAsyncInvoke",
      {{"modelId", model_id},
       {"modelInput", std::move(*input)},
       {"outputDataConfig",
        json::object{{"s3OutputDataConfig", json::object{{"s3Uri", output_s3_uri}}}}}});
}

Call<Reply> Client::get_async_invoke(std::string_view invocation_arn) const {
  return impl_->call("GetAsyncInvoke", {{"invocationArn", invocation_arn}});
}

Call<Reply> Client::list_async_invokes() const { return impl_->call("ListAsyncInvokes", {}); }

}  // namespace craton
