#include "engines/upstream/upstream_engine.h"

#include <algorithm>
#include <boost/json.hpp>
#include <future>
#include <utility>

#include "base/json.h"
#include "engines/load_state.h"
#include "engines/refusals.h"
#include "engines/upstream/answer_call.h"
#include "engines/upstream/chat_request.h"
#include "engines/upstream/json_call.h"
#include "engines/upstream/json_members.h"
#include "engines/upstream/prober.h"
#include "engines/upstream/prompt_measure.h"
#include "engines/upstream/vectors.h"

namespace craton::engines::upstream {
namespace {

constexpr std::chrono::seconds count_limit{10};  // of tokens; then they are estimated

/// The JsonCall that works for a Pending, which cancels it; one after the other.
class Worker {
 public:
  int next_step() {
    const std::lock_guard lock(mutex_);
    return ++step_;
  }

  /// That of a step which another has followed already is over.
  void begun(int step, std::shared_ptr<JsonCall> call) {
    {
      const std::lock_guard lock(mutex_);
      if (step < step_) return;
      if (!cancelled_) {
        call_ = std::move(call);
        return;
      }
    }
    call->cancel();
  }

  void cancel() {
    std::shared_ptr<JsonCall> ended;
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
      ended = std::exchange(call_, nullptr);
    }
    if (ended) ended->cancel();
  }

 private:
  std::mutex mutex_;
  bool cancelled_ = false;
  int step_ = 0;
  std::shared_ptr<JsonCall> call_;
};

/// A JSON text's array of tokens, or its count of them.
std::optional<int> tokens_in(std::string_view text) {
  const auto parsed = json::parse(text);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  const json::object& root = parsed->get_object();
  if (const int count = count_member(root, "count")) return count;
  const json::array* tokens = array_member(root, "tokens");
  return tokens ? std::optional(static_cast<int>(tokens->size())) : std::nullopt;
}

class UpstreamEngine : public Engine {
 public:
  explicit UpstreamEngine(UpstreamOptions options)
      : cluster_(std::make_shared<Cluster>(std::move(options.cluster))),
        client_(std::make_unique<http::Client>(http::ClientOptions{
            .authority_file = std::move(options.authority_file), .idle_connections = 4096})),
        prober_(std::make_unique<Prober>(cluster_, *client_,
                                         [load = load_] { load->publish({State::ready, {}}); })) {}

  ~UpstreamEngine() override {
    prober_.reset();
    client_.reset();  // ends what is in progress, before what it uses goes
  }

  std::string_view kind() const override { return "upstream"; }
  std::string_view model() const override {
    const Served* served = cluster_->served();
    if (served) return served->model;
    const ClusterOptions& options = cluster_->options();
    return options.model.empty() ? options.replicas.front() : options.model;
  }
  Status status() const override { return load_->status(); }
  void notify_loaded(std::function<void()> wake) override { load_->notify(std::move(wake)); }

  /// What of it the model cannot do, the server refuses, with its reason.
  Capabilities capabilities() const override {
    return {.images = true, .reasoning = true, .text = true, .embeddings = true};
  }

  EngineStats stats() const override {
    return {.queue_length = cluster_->waiting,
            .running = cluster_->running,
            .prompt_tokens = cluster_->prompt_tokens,
            .prefix_hit_tokens = cluster_->cached_tokens,
            .generated_tokens = cluster_->generated_tokens};
  }
  std::vector<ReplicaStats> replicas() const override { return cluster_->replicas(); }

  Result<std::shared_ptr<Generation>> generate(Conversation conversation,
                                               const Limits& limits) override {
    CRATON_TRY(loaded());
    return AnswerCall::begin(cluster_, *client_, std::move(conversation), limits);
  }

  Result<int> count_tokens(const Conversation& conversation) override {
    return estimated_tokens(conversation);
  }
  Result<std::shared_ptr<Counting>> begin_count(Conversation conversation,
                                                const Limits& limits) override;
  Result<std::shared_ptr<Embedding>> embed(EmbeddingRequest request, const Limits& limits) override;

 private:
  Result<const Served*> loaded() const {
    if (status().state == State::loading) return not_ready();
    const Served* served = cluster_->served();
    if (!served) return none_takes_it(Balancer::Why::down);
    return served;
  }

  const std::shared_ptr<LoadState> load_ = std::make_shared<LoadState>();
  const std::shared_ptr<Cluster> cluster_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<Prober> prober_;
};

/// A count on its way: perhaps of two steps, and an estimate where either fails.
struct Count : std::enable_shared_from_this<Count> {
  std::shared_ptr<Cluster> cluster;
  http::Client* client;
  std::shared_ptr<Worker> worker;
  std::shared_ptr<Counting> counting;
  int estimate = 0;
  std::uint64_t key = 0;
  SteadyTime deadline;

  void ask(std::string path, std::string body, void (Count::*then)(const JsonAnswer&)) {
    const int step = worker->next_step();
    auto call = JsonCall::begin(
        cluster, *client,
        {.path = std::move(path), .body = std::move(body), .key = key, .deadline = deadline},
        [self = shared_from_this(), then](const JsonAnswer& answer) { ((*self).*then)(answer); });
    call ? worker->begun(step, std::move(*call)) : give_up();
  }

  void give_up() { counting->finish(TokenCount{estimate, true}); }

  void read_count(const JsonAnswer& answer) {
    const std::optional<int> tokens = answer.failure ? std::nullopt : tokens_in(answer.text);
    counting->finish(tokens ? TokenCount{*tokens} : TokenCount{estimate, true});
  }

  void read_prompt(const JsonAnswer& answer) {
    const auto parsed = json::parse(answer.failure ? std::string_view("{}") : answer.text);
    const json::object* root = parsed ? parsed->if_object() : nullptr;
    const std::string_view prompt = root ? text_member(*root, "prompt") : std::string_view();
    prompt.empty() ? give_up() : count_text(prompt);
  }

  void count_text(std::string_view prompt) {
    const json::object body{{"content", prompt}, {"add_special", true}, {"parse_special", true}};
    ask("/tokenize", json::to_text(body), &Count::read_count);
  }
};

Result<std::shared_ptr<Counting>> UpstreamEngine::begin_count(Conversation conversation,
                                                              const Limits& limits) {
  CRATON_TRY_ASSIGN(const Served* served, loaded());
  const auto worker = std::make_shared<Worker>();
  const auto count = std::make_shared<Count>();
  count->cluster = cluster_;
  count->client = client_.get();
  count->worker = worker;
  count->counting = std::make_shared<Counting>([worker] { worker->cancel(); });
  count->estimate = estimated_tokens(conversation);
  count->key = prefix_key(conversation);
  count->deadline = std::chrono::steady_clock::now() + count_limit;
  if (limits.deadline) count->deadline = std::min(count->deadline, *limits.deadline);
  CRATON_TRY_ASSIGN(std::string body,
                    prompt_body(conversation, {.model = served->model, .kind = *served->kind}));
  if (served->kind->counts_chats) {
    count->ask("/tokenize", std::move(body), &Count::read_count);
  } else if (served->kind->applies_template && conversation.raw_completion) {
    count->count_text(text_of(conversation.turns.front()));
  } else if (served->kind->applies_template && !has_images(conversation)) {
    count->ask("/apply-template", std::move(body), &Count::read_prompt);
  } else {
    count->give_up();
  }
  return count->counting;
}

/// A request for vectors or ranks on its way. A server that cannot rank is asked for vectors.
struct Vectors : std::enable_shared_from_this<Vectors> {
  std::shared_ptr<Cluster> cluster;
  http::Client* client;
  std::shared_ptr<Worker> worker;
  std::weak_ptr<Embedding> embedding;  ///< Which may cancel the worker.
  EmbeddingRequest request;
  const Served* served;
  std::optional<SteadyTime> deadline;

  bool ranks() const {
    return request.task == EmbeddingTask::rank && !cluster->ranks_by_vectors &&
           request.items.size() > 1;
  }

  Result<void> ask() {
    const bool rank = ranks();
    CRATON_TRY_ASSIGN(std::string body,
                      rank ? ranks_body(request, *served) : vectors_body(request, *served));
    const int step = worker->next_step();
    CRATON_TRY_ASSIGN(auto call,
                      JsonCall::begin(cluster, *client,
                                      {.path = rank ? "/v1/rerank" : "/v1/embeddings",
                                       .body = std::move(body),
                                       .key = prefix_key(request),
                                       .work = work_of(request),
                                       .deadline = deadline},
                                      [self = shared_from_this(), rank](JsonAnswer answer) {
                                        self->read(std::move(answer), rank);
                                      }));
    worker->begun(step, std::move(call));
    return {};
  }

  void read(JsonAnswer answer, bool rank) {
    const auto waiting = embedding.lock();
    if (!waiting) return;
    const bool cannot = answer.status == 404 || answer.status == 405 || answer.status == 501;
    if (rank && cannot) {
      cluster->ranks_by_vectors = true;
      const Result<void> asked = ask();
      if (!asked) waiting->finish(tl::unexpected(Failure{asked.error(), {}}));
      return;
    }
    if (answer.failure) {
      if (cannot) answer.failure->error = makes_none();
      return waiting->finish(tl::unexpected(*std::move(answer.failure)));
    }
    Result<Embeddings> made = rank ? ranks_in(answer.text, request.items.size() - 1, *served->kind)
                                   : vectors_in(answer.text, request.items.size());
    if (!made) return waiting->finish(tl::unexpected(Failure{made.error(), {}}));
    for (const EmbeddingVector& vector : made->vectors) {
      cluster->prompt_tokens += static_cast<std::uint64_t>(vector.tokens);
    }
    waiting->finish(std::move(*made));
  }

  static Error makes_none() {
    return {ErrorCode::model_error,
            "The server that answers here makes no embeddings of its model. Bind an encoder to "
            "this model id."};
  }
};

Result<std::shared_ptr<Embedding>> UpstreamEngine::embed(EmbeddingRequest request,
                                                         const Limits& limits) {
  CRATON_TRY_ASSIGN(const Served* served, loaded());
  const auto worker = std::make_shared<Worker>();
  auto embedding = std::make_shared<Embedding>([worker] { worker->cancel(); });
  const auto vectors = std::make_shared<Vectors>();
  vectors->cluster = cluster_;
  vectors->client = client_.get();
  vectors->worker = worker;
  vectors->embedding = embedding;
  vectors->request = std::move(request);
  vectors->served = served;
  vectors->deadline = limits.deadline;
  CRATON_TRY(vectors->ask());
  return embedding;
}

}  // namespace

Result<std::string> replica_url(std::string_view text) {
  const Error wanted{ErrorCode::validation, "expected http://HOST:PORT or https://HOST, found '" +
                                                std::string(text) + "'"};
  std::string_view url = text;
  const std::size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  if (scheme == 0 || url.find_first_of(" \t\r\n?#@\"'\\") != url.npos) return wanted;
  while (url.ends_with('/')) url.remove_suffix(1);
  if (url.ends_with("/v1")) url.remove_suffix(3);
  while (url.ends_with('/')) url.remove_suffix(1);
  if (url.size() <= scheme || url[scheme] == '/' || url[scheme] == ':') return wanted;
  return std::string(url);
}

std::unique_ptr<Engine> make_upstream_engine(UpstreamOptions options) {
  return std::make_unique<UpstreamEngine>(std::move(options));
}

namespace {

struct Fetched {
  int status = 0;
  std::string body;
  http::TransferEnd end;
};

std::future<Fetched> fetch(http::Client& client, const Cluster& cluster, std::size_t replica,
                           std::string_view path) {
  http::ClientRequest request = cluster.request(replica, path, {});
  request.limit = std::chrono::seconds(5);
  const auto page = std::make_shared<Fetched>();
  const auto told = std::make_shared<std::promise<Fetched>>();
  client.send(std::move(request),
              {.on_head = [page](http::ClientHead head) { page->status = head.status; },
               .on_body =
                   [page](std::string_view bytes) {
                     if (page->body.size() < (1u << 20)) page->body += bytes;
                     return true;
                   },
               .on_end =
                   [page, told](http::TransferEnd end) {
                     page->end = std::move(end);
                     told->set_value(std::move(*page));
                   }});
  return told->get_future();
}

ReplicaCheck check_of(std::string url, const Fetched& health, const Fetched& models,
                      std::string_view wanted) {
  ReplicaCheck check{.url = std::move(url), .problem = {}, .server = {}, .model = {}};
  if (models.end.fault != http::TransferFault::none) {
    check.problem = models.end.reason;
  } else if (models.status == 401 || models.status == 403) {
    check.problem = "it lets nobody in without the right key: give api-key-env or api-key-file";
  } else if (models.status != 200) {
    check.problem = "its /v1/models answers with status " + std::to_string(models.status);
  } else if (health.status != 200 && health.status != 404) {
    check.problem = "its /health answers with status " + std::to_string(health.status);
  }
  if (!check.problem.empty()) return check;
  const auto first = served_in(models.body, {});
  if (!first) {
    check.problem = first.error().message;
    return check;
  }
  const auto served = served_in(models.body, wanted);
  check.server = served->kind->name;
  check.model = served->model;
  const bool known =
      wanted.empty() || models.body.find('"' + std::string(wanted) + '"') != std::string::npos;
  if (!known) {
    check.problem = "it serves " + first->model + " and no " + std::string(wanted) +
                    ": give upstream-model another name";
  }
  return check;
}

}  // namespace

std::vector<ReplicaCheck> check_replicas(const UpstreamOptions& options) {
  const Cluster cluster(options.cluster);
  http::Client client({.authority_file = options.authority_file});
  const std::vector<std::string>& urls = options.cluster.replicas;
  std::vector<std::future<Fetched>> health;
  std::vector<std::future<Fetched>> models;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    health.push_back(fetch(client, cluster, i, "/health"));
    models.push_back(fetch(client, cluster, i, "/v1/models"));
  }
  std::vector<ReplicaCheck> checks;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    checks.push_back(check_of(urls[i], health[i].get(), models[i].get(), options.cluster.model));
  }
  return checks;
}

}  // namespace craton::engines::upstream
