#include "engines/aws/aws_engine.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "base/glob.h"
#include "base/json.h"

namespace craton::engines::aws {
namespace {

/// The error of this server's table that AWS's is.
Error error_of(const CallError& error) {
  const auto* shape = std::ranges::find(error_shapes, error.type, &ErrorShape::name);
  if (shape != error_shapes.end()) return {shape->code, error.message};
  switch (error.kind) {
    case CallError::Kind::time_out: return {ErrorCode::model_timeout, error.message};
    case CallError::Kind::configuration: return {ErrorCode::validation, error.message};
    case CallError::Kind::connection:
    case CallError::Kind::credentials:
      return {ErrorCode::service_unavailable, "AWS did not answer: " + error.message};
    default: return {ErrorCode::model_error, error.message};
  }
}

/// What Converse has no member for, by the names that each provider's models know it by.
struct ProviderMembers {
  std::string_view model_pattern;
  std::string_view top_k;
  std::string_view seed = {};
};
constexpr ProviderMembers provider_members[] = {
    {.model_pattern = "*anthropic.*", .top_k = "top_k"},
    {.model_pattern = "*mistral.*", .top_k = "top_k"},
    {.model_pattern = "*cohere.command*", .top_k = "k", .seed = "seed"},
    {.model_pattern = "*", .top_k = {}, .seed = "seed"},
};

/// Moves them from the conversation to the request's additional fields. Fails with `validation` for
/// what the model's provider has no name for.
Result<ConverseOptions> take_additional(std::string_view model_id, Conversation& conversation) {
  const auto* members = std::ranges::find_if(provider_members, [&](const ProviderMembers& row) {
    return glob_matches(row.model_pattern, model_id);
  });
  json::object fields;
  Sampling& sampling = conversation.sampling;
  if (sampling.top_k && !members->top_k.empty()) fields[members->top_k] = *sampling.top_k;
  if (sampling.seed && !members->seed.empty()) fields[members->seed] = *sampling.seed;
  if (!members->top_k.empty()) sampling.top_k.reset();
  sampling.seed.reset();  // a wish: what has no name for it answers without
  if (conversation.reasoning.wanted) {
    if (!glob_matches("*anthropic.*", model_id)) {
      return Error{ErrorCode::validation, "Reasoning cannot be asked of this model through AWS."};
    }
    fields["thinking"] =
        json::object{{"type", "enabled"},
                     {"budget_tokens", conversation.reasoning.budget_tokens.value_or(1024)}};
    conversation.reasoning = {};
  }
  ConverseOptions options;
  if (!fields.empty()) options.additional_fields = json::to_text(fields);
  return options;
}

/// Hands the events of a stream on to a Generation, as fast as that takes them. Does not keep the
/// client, whose thread calls it: whoever lets go of that last waits for this thread.
class Pump : public std::enable_shared_from_this<Pump> {
 public:
  std::shared_ptr<Generation> start(Call<Stream<Event>> call) {
    auto generation = std::make_shared<Generation>([self = shared_from_this()] { self->wake(); });
    generation_ = generation;
    Cancel cancel =
        std::move(call).then([self = shared_from_this()](Outcome<Stream<Event>> opened) {
          self->begin(std::move(opened));
        });
    {
      const std::lock_guard lock(mutex_);
      cancel_ = std::move(cancel);
    }
    return generation;  // nobody else has it yet, so it cannot have been given up
  }

 private:
  using Events = Stream<Event>;

  void begin(Outcome<Events> opened) {
    if (!opened) return fail(opened.error());
    {
      const std::lock_guard lock(mutex_);
      stream_ = std::make_shared<Events>(std::move(*opened));
    }
    read();
  }

  std::shared_ptr<Events> stream() {
    const std::lock_guard lock(mutex_);
    return stream_;
  }

  void read() {
    const std::shared_ptr<Events> from = stream();
    if (!from) return;
    static_cast<void>(
        from->next().then([self = shared_from_this()](Outcome<std::optional<Event>> event) {
          if (!event) return self->fail(event.error());
          if (*event) return self->hand_on(std::move(**event));
          self->fail(
              {.kind = CallError::Kind::protocol, .message = "AWS's answer ended before its end"});
        }));
  }

  void hand_on(Event event) {
    const auto generation = generation_.lock();
    if (!generation || generation->cancelled()) return drop();
    const bool last = std::holds_alternative<Usage>(event);
    {
      const std::lock_guard lock(mutex_);
      if (!generation->offer(event)) {
        held_ = std::move(event);
        return;  // until wake()
      }
    }
    last ? drop() : read();
  }

  /// There is room again, or the answer was given up.
  void wake() {
    const auto generation = generation_.lock();
    const bool given_up = !generation || generation->cancelled();
    std::optional<Event> event;
    Cancel cancel;
    {
      const std::lock_guard lock(mutex_);
      event = std::exchange(held_, std::nullopt);
      if (given_up) cancel = cancel_;
    }
    if (cancel) cancel();
    if (given_up) return drop();
    if (event) hand_on(std::move(*event));
  }

  void fail(const CallError& error) {
    if (const auto generation = generation_.lock()) {
      generation->offer(Failure{error_of(error), std::nullopt});
    }
    drop();
  }

  void drop() {
    std::shared_ptr<Events> gone;  // given up outside of the lock
    const std::lock_guard lock(mutex_);
    gone = std::exchange(stream_, nullptr);
  }

  std::weak_ptr<Generation> generation_;
  std::mutex mutex_;  // guards what follows
  Cancel cancel_;
  std::shared_ptr<Events> stream_;
  std::optional<Event> held_;
};

/// What of a reply's head tells of its body: SDXL's, of a picture's file.
constexpr std::string_view told_headers[] = {"Seed", "Finish-Reason"};

NativeReply reply_of(Reply answered) {
  NativeReply reply;
  if (const auto type = answered.header("content-type"); !type.empty()) reply.content_type = type;
  for (const std::string_view name : told_headers) {
    const std::string_view value = answered.header(name);
    if (!value.empty()) reply.headers.emplace_back(name, value);
  }
  const std::string_view counted = answered.header("x-amzn-bedrock-input-token-count");
  int tokens = 0;
  const auto [end, error] =
      std::from_chars(counted.data(), counted.data() + counted.size(), tokens);
  const bool whole = error == std::errc() && end == counted.data() + counted.size();
  if (whole && tokens >= 0) reply.input_tokens = tokens;
  reply.body = std::move(answered.body);
  return reply;
}

/// A call on its way, whose value `read` makes.
template <class T, class From, class Read>
std::shared_ptr<Pending<T>> pending(Call<From> call, Read read) {
  // Cancel is known only when the call is on its way, which may be over by then.
  auto cancel = std::make_shared<Cancel>();
  auto made = std::make_shared<Pending<T>>([cancel] {
    if (*cancel) (*cancel)();
  });
  *cancel = std::move(call).then([made, read](Outcome<From> outcome) {
    if (outcome) return made->finish(read(std::move(*outcome)));
    made->finish(tl::unexpected(Failure{error_of(outcome.error()), std::nullopt}));
  });
  return made;
}

class AwsEngine : public Engine {
 public:
  AwsEngine(std::shared_ptr<const Client> client, std::string model_id)
      : client_(std::move(client)), model_id_(std::move(model_id)) {}

  std::string_view kind() const override { return "aws"; }
  std::string_view model() const override { return model_id_; }
  Status status() const override { return {State::ready, ""}; }
  void notify_loaded(std::function<void()> wake) override { wake(); }
  Capabilities capabilities() const override {
    return {.images = true, .reasoning = true, .native = true};
  }

  Result<std::shared_ptr<Generation>> generate(Conversation conversation, const Limits&) override {
    // Of APIs that cache unasked: Converse refuses marks for models that cache nothing.
    if (!conversation.cached_until) conversation.caching = false;
    CRATON_TRY_ASSIGN(const ConverseOptions options, take_additional(model_id_, conversation));
    return std::make_shared<Pump>()->start(
        client_->converse_stream(model_id_, conversation, options));
  }

  Result<int> count_tokens(const Conversation&) override {
    return Error{ErrorCode::model_error,
                 "AWS is asked for counts, and does not have them at once."};
  }

  Result<std::shared_ptr<Counting>> begin_count(Conversation conversation, const Limits&) override {
    return pending<TokenCount>(client_->count_tokens(model_id_, conversation),
                               [](int tokens) { return TokenCount{tokens}; });
  }

  Result<std::shared_ptr<Replying>> reply(NativeCall native, const Limits&) override {
    InvokeOptions options;
    if (!native.accept.empty()) options.accept = native.accept;
    return pending<NativeReply>(client_->invoke_model(model_id_, std::string(native.body), options),
                                reply_of);
  }

 private:
  const std::shared_ptr<const Client> client_;
  const std::string model_id_;
};

}  // namespace

std::shared_ptr<Engine> make_aws_engine(std::shared_ptr<const Client> client,
                                        std::string model_id) {
  return std::make_shared<AwsEngine>(std::move(client), std::move(model_id));
}

}  // namespace craton::engines::aws
