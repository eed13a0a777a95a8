#include "engines/llama/llama_engine.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <filesystem>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "engines/inbox.h"
#include "engines/llama/answer_plan.h"
#include "engines/llama/cpu.h"
#include "engines/llama/crew.h"
#include "engines/llama/drafter.h"
#include "engines/llama/image_queue.h"
#include "engines/llama/loaded_model.h"
#include "engines/llama/prefix_tree.h"
#include "engines/llama/scheduler.h"
#include "engines/llama/step_seconds.h"
#include "engines/load_state.h"
#include "engines/refusals.h"

namespace craton::engines::llama {
namespace {

constexpr int parallel_default = 8;
constexpr int parallel_max = 64;  // llama.cpp's own bound is 256
constexpr int threads_max = 512;  // llama.cpp's own bound
constexpr int batch_tokens = 512;
// Finished prompts whose beginnings are kept for others, as long as there are cells.
constexpr int kept_max = 32;

// Tokens of a prompt in a batch whose likelihoods are asked for: each holds logits of the whole
// vocabulary, 0.6 MB for one of 150,000 tokens.
constexpr int weighed_tokens = 16;

// Threads that choose the tokens of a step's answers: what there is to read is memory's to give.
constexpr int crew_max = 8;

LlamaOptions with_defaults(LlamaOptions options) {
  const auto or_default = [](int asked, int otherwise, int most) {
    return std::clamp(asked > 0 ? asked : otherwise, 1, most);
  };
  if (options.name.empty()) options.name = std::filesystem::path(options.path).stem().string();
  options.threads = or_default(options.threads, usable_cores(), threads_max);
  options.context_tokens = or_default(options.context_tokens, context_tokens_default, 1 << 24);
  options.kv_cells = or_default(options.kv_cells, options.context_tokens, 1 << 24);
  options.parallel = or_default(options.parallel, parallel_default, parallel_max);
  options.waiting_max = std::max(0, options.waiting_max);
  return options;
}

std::uint32_t random_seed() {
  thread_local std::mt19937 generator(std::random_device{}());
  return generator();
}

std::size_t bytes_of(const ContentBlock& block) {
  if (const auto* text = std::get_if<TextBlock>(&block)) return text->text.size();
  if (const auto* call = std::get_if<ToolUseBlock>(&block)) return call->input.size();
  const auto* result = std::get_if<ToolResultBlock>(&block);
  if (!result) return 0;
  std::size_t bytes = 0;
  for (const ToolResultPart& part : result->content) {
    if (const auto* text = std::get_if<TextBlock>(&part)) bytes += text->text.size();
  }
  return bytes;
}

/// Bytes that the caller wrote into the prompt.
std::size_t bytes_of(const Conversation& conversation) {
  std::size_t bytes = 0;
  for (const TextBlock& block : conversation.system) bytes += block.text.size();
  for (const Turn& turn : conversation.turns) {
    for (const ContentBlock& block : turn.content) bytes += bytes_of(block);
  }
  if (conversation.raw_completion || conversation.tools.choice == ToolChoice::none) return bytes;
  for (const Tool& tool : conversation.tools.offered) {
    bytes += tool.description.size() + tool.input_schema.size();
  }
  return bytes;
}

Result<void> check(const Sampling& sampling) {
  std::size_t bytes = 0;
  for (const std::string& sequence : sampling.stop_sequences) {
    bytes += mended_utf8(sequence).size();
    if (bytes <= StopMatcher::bytes_max) continue;
    return Error{ErrorCode::validation, "The stop sequences are too long: together at most " +
                                            std::to_string(StopMatcher::bytes_max) +
                                            " bytes are supported."};
  }
  return {};
}

/// What the engine's thread tells of itself, for any other to read.
class Gauges {
 public:
  void stepped(std::chrono::nanoseconds took) { steps_.observe(took.count()); }

  /// Called by the engine's thread alone.
  void update(const Scheduler& scheduler) {
    const SchedulerStats& stats = scheduler.stats();
    set(running_, scheduler.running());
    set(draining_, scheduler.draining());
    set(used_, static_cast<std::uint64_t>(scheduler.pinned_cells()));
    set(held_, static_cast<std::uint64_t>(scheduler.cells()));
    set(prompt_tokens_, stats.prompt_tokens);
    set(hit_tokens_, stats.prefix_hit_tokens);
    set(generated_, stats.generated_tokens);
    set(evictions_, stats.evictions);
  }

  /// `places`: requests that the engine holds; `cells`: of its KV cache.
  EngineStats read(int places, int cells) const {
    const int computed = number(running_) + number(draining_);
    const int used = number(used_);
    return {.queue_length = std::max(0, places - computed),
            .running = number(running_),
            .kv_cells = cells,
            .kv_cells_used = used,
            .kv_cells_kept = std::max(0, number(held_) - used),
            .prompt_tokens = prompt_tokens_,
            .prefix_hit_tokens = hit_tokens_,
            .generated_tokens = generated_,
            .evictions = evictions_,
            .steps = steps_.read()};
  }

 private:
  using Number = std::atomic<std::uint64_t>;

  static void set(Number& to, std::uint64_t value) { to.store(value, std::memory_order_relaxed); }
  static int number(const Number& of) {
    return static_cast<int>(of.load(std::memory_order_relaxed));
  }

  Number running_ = 0, draining_ = 0, used_ = 0, held_ = 0;
  Number prompt_tokens_ = 0, hit_tokens_ = 0, generated_ = 0, evictions_ = 0;
  metrics::Histogram steps_{step_seconds};
};

class LlamaEngine : public Engine {
 public:
  explicit LlamaEngine(LlamaOptions options)
      : options_(with_defaults(std::move(options))), thread_([this] { run(); }) {}

  ~LlamaEngine() override {
    stop_ = true;
    inbox_->nudge();
    thread_.join();
  }

  std::string_view kind() const override { return "llama"; }
  std::string_view model() const override { return options_.name; }

  Status status() const override { return load_.status(); }
  void notify_loaded(std::function<void()> wake) override { load_.notify(std::move(wake)); }

  Capabilities capabilities() const override {
    const auto model = loaded();
    return {.images = model && (*model)->image_encoder(),
            .reasoning = model && (*model)->chat_template().thinks()};
  }

  EngineStats stats() const override {
    const auto model = loaded();
    return gauges_.read(inbox_->places_taken(), model ? (*model)->cells() : 0);
  }

  Result<std::shared_ptr<Generation>> generate(Conversation conversation,
                                               const Limits& limits) override;
  Result<int> count_tokens(const Conversation& conversation) override;

 private:
  /// The model, once it is there; it stays.
  Result<const LoadedModel*> loaded() const;

  struct Prepared {
    RenderedPrompt rendered;
    TokenizedPrompt text;  ///< `count` includes the cells of images.
  };
  Result<Prepared> prepared(const LoadedModel& model, const Conversation& conversation,
                            int most) const;
  int cached_tokens(const LoadedModel& model, const Conversation& conversation,
                    const TokenizedPrompt& prompt) const;
  void begin(Request request, Prepared prompt, const Conversation& conversation);

  void run();
  bool load();
  Result<void> load_draft();
  void serve();
  bool lost_machine();

  const LlamaOptions options_;
  const std::shared_ptr<Inbox<Request>> inbox_ = std::make_shared<Inbox<Request>>();
  Gauges gauges_;
  std::atomic<bool> stop_ = false;
  LoadState load_;
  // Written once, before `ready` is published.
  std::unique_ptr<LoadedModel> model_;
  std::unique_ptr<ImageQueue> images_;  ///< Null when the model sees none.
  std::unique_ptr<LoadedModel> draft_;  ///< Null when there is none.
  std::unique_ptr<ModelDrafter> drafter_;
  std::thread thread_;  // last: uses all of the above
};

Result<const LoadedModel*> LlamaEngine::loaded() const {
  const Status now = status();
  switch (now.state) {
    case State::loading: return not_ready();
    case State::failed: return not_loaded(now.reason);
    case State::ready: break;
  }
  return model_.get();
}

/// Estimates the tokens of a conversation that cannot fit by the beginning of it.
Result<TokenizedPrompt> estimated(const Tokenizer& tokenizer, const Conversation& conversation,
                                  std::size_t bytes, int most) {
  PromptText sample;
  std::size_t sampled = 0;
  constexpr std::size_t sample_bytes_max = 64 * 1024;
  for (const Turn& turn : conversation.turns) {
    std::string text = text_of(turn).substr(0, sample_bytes_max - sampled);
    sampled += text.size();
    sample.push_back({mended_utf8(text), true});
    if (sampled >= sample_bytes_max) break;
  }
  CRATON_TRY_ASSIGN(TokenizedPrompt counted, tokenizer.tokenize(sample, most));
  const double rate =
      static_cast<double>(counted.count) / static_cast<double>(std::max<std::size_t>(sampled, 1));
  counted.tokens.clear();
  counted.count = std::max(most + 1, static_cast<int>(rate * static_cast<double>(bytes)));
  return counted;
}

/// The text of the only turn, and its images.
PromptText raw_prompt(const Conversation& conversation) {
  PromptText prompt;
  std::size_t images = 0;
  for (const Turn& turn : conversation.turns) {
    for (const ContentBlock& block : turn.content) {
      if (const auto* text = std::get_if<TextBlock>(&block)) {
        prompt.push_back({mended_utf8(text->text), true});
      } else if (std::holds_alternative<ImageBlock>(block)) {
        prompt.push_back({.text = {}, .from_caller = true, .image = images++});
      }
    }
  }
  return prompt;
}

/// Adds the cells of the images to `prompt.count`, as far as there is a point: until they are more
/// than `most`.
Result<void> count_images(const LoadedModel& model, const Conversation& conversation, int most,
                          TokenizedPrompt& prompt) {
  if (prompt.images.empty()) return {};
  const std::vector<const ImageBlock*> images = images_of(conversation);
  for (const ImagePlace& place : prompt.images) {
    if (prompt.count > most) return {};
    CRATON_TRY_ASSIGN(const ImagePieces pieces,
                      model.image_encoder()->measure(images[place.image]->bytes));
    prompt.count += pieces.cells();
  }
  const bool text_follows = prompt.images.back().before < prompt.tokens.size();
  if (text_follows || prompt.count > most) return {};
  return Error{ErrorCode::validation, "Text must follow on the last image."};
}

/// Cheap bounds come first: what cannot fit is neither rendered nor tokenised whole.
Result<LlamaEngine::Prepared> LlamaEngine::prepared(const LoadedModel& model,
                                                    const Conversation& conversation,
                                                    int most) const {
  const Tokenizer& tokenizer = model.tokenizer();
  const std::size_t bytes = bytes_of(conversation);
  Prepared all;
  if (bytes > tokenizer.bytes_max(most) ||
      conversation.turns.size() > static_cast<std::size_t>(most)) {
    CRATON_TRY_ASSIGN(all.text, estimated(tokenizer, conversation, bytes, most));
    return all;
  }
  if (conversation.raw_completion) {
    all.rendered.text = raw_prompt(conversation);
  } else {
    CRATON_TRY_ASSIGN(all.rendered, model.chat_template().render(conversation));
  }
  CRATON_TRY_ASSIGN(all.text, tokenizer.tokenize(all.rendered.text, most));
  CRATON_TRY(count_images(model, conversation, most, all.text));
  return all;
}

/// `conversation` up to `place`, and then something else than it has there.
Conversation cut_at(Conversation conversation, Place place) {
  conversation.turns.resize(place.turns + 1);
  Turn& last = conversation.turns.back();
  last.content.resize(std::min(place.blocks, last.content.size()));
  last.content.emplace_back(TextBlock{"\x01"});
  return conversation;
}

/// How much of the prompt the caller wants to be kept: what it has in common with the prompt of a
/// conversation that is the same up to there. Images, and what is behind them, are not kept.
int LlamaEngine::cached_tokens(const LoadedModel& model, const Conversation& conversation,
                               const TokenizedPrompt& prompt) const {
  if (!conversation.caching) return 0;
  auto most =
      static_cast<int>(prompt.images.empty() ? prompt.tokens.size() : prompt.images.front().before);
  const auto& place = conversation.cached_until;
  if (!place || place->turns >= conversation.turns.size()) return most;
  const auto other = prepared(model, cut_at(conversation, *place), model.context_tokens());
  if (!other) return 0;  // the template refuses what is cut
  return std::min(most, common_length(other->text.tokens, prompt.tokens));
}

Result<std::shared_ptr<Generation>> LlamaEngine::generate(Conversation conversation,
                                                          const Limits& limits) {
  CRATON_TRY_ASSIGN(const LoadedModel* model, loaded());
  CRATON_TRY(check(conversation.sampling));
  std::shared_ptr<void> place = inbox_->take_place(options_.parallel + options_.waiting_max);
  if (!place) return throttled();

  const int context = std::clamp(limits.context_tokens.value_or(model->context_tokens()), 0,
                                 model->context_tokens());
  const int most = std::max(0, context - 1);  // one token of answer must fit as well
  CRATON_TRY_ASSIGN(Prepared prompt, prepared(*model, conversation, most));
  auto generation = std::make_shared<Generation>([inbox = inbox_] { inbox->nudge(); });
  if (prompt.text.count > most) {
    generation->offer(Failure{{ErrorCode::validation, "Input is too long for requested model."},
                              InputTooLong{prompt.text.count, most}});
    return generation;
  }
  if (prompt.text.tokens.empty()) {
    return Error{ErrorCode::validation, "The prompt is empty: it has no tokens."};
  }
  CRATON_TRY_ASSIGN(AnswerPlan plan,
                    plan_answer(conversation, model->chat_template(), prompt.rendered));
  const Sampling& sampling = conversation.sampling;
  Request request{
      .prompt = {},
      .context_tokens = context,
      .tokens_max = sampling.tokens_max,
      .deadline = limits.deadline,
      .sampler = Sampler(plan_sampling(sampling, model->sampling_defaults(), random_seed())),
      .assembler = AnswerAssembler(std::move(plan)),
      .likelihoods = sampling.likelihoods,
      .priority = limits.priority,
      .arrived = std::chrono::steady_clock::now(),
      .repeatable = sampling.seed.has_value(),
      .cache_point = cached_tokens(*model, conversation, prompt.text),
      .generation = generation,
      .place = std::move(place)};
  begin(std::move(request), std::move(prompt), conversation);
  return generation;
}

/// Text is a prompt as it is; images are encoded first.
void LlamaEngine::begin(Request request, Prepared prompt, const Conversation& conversation) {
  if (prompt.text.images.empty()) {
    request.prompt = std::move(prompt.text.tokens);
    return inbox_->put(std::move(request));
  }
  std::vector<std::string> images;
  for (const ImageBlock* image : images_of(conversation)) images.push_back(image->bytes);
  const int cells = prompt.text.count;
  images_->put({.request = std::move(request),
                .text = std::move(prompt.text),
                .images = std::move(images),
                .cells = cells});
}

Result<int> LlamaEngine::count_tokens(const Conversation& conversation) {
  CRATON_TRY_ASSIGN(const LoadedModel* model, loaded());
  CRATON_TRY_ASSIGN(const Prepared prompt, prepared(*model, conversation, model->context_tokens()));
  return prompt.text.count;
}

/// The draft model reads what the large one does, of one answer at a time.
Result<void> LlamaEngine::load_draft() {
  if (options_.draft.empty()) return {};
  CRATON_TRY_ASSIGN(draft_, LoadedModel::load({.path = options_.draft,
                                               .threads = options_.threads,
                                               .context_tokens = model_->context_tokens(),
                                               .cells = model_->context_tokens(),
                                               .batch_tokens = batch_tokens,
                                               .gpu_layers = options_.gpu_layers},
                                              stop_));
  CRATON_TRY_ASSIGN(const int vocabulary, model_->common_vocabulary(*draft_));
  drafter_ = std::make_unique<ModelDrafter>(*draft_,
                                            ModelDrafter::Bounds{.cells = draft_->context_tokens(),
                                                                 .batch_tokens = batch_tokens,
                                                                 .vocabulary = vocabulary});
  return {};
}

bool LlamaEngine::load() {
  const auto started = std::chrono::steady_clock::now();
  auto loaded = LoadedModel::load({.path = options_.path,
                                   .threads = options_.threads,
                                   .context_tokens = options_.context_tokens,
                                   .cells = options_.kv_cells,
                                   .parallel = options_.parallel,
                                   .kept_max = options_.prefix_cache ? kept_max : 0,
                                   .batch_tokens = batch_tokens,
                                   .projector = options_.projector,
                                   .kv_type = options_.kv_type,
                                   .flash_attention = options_.flash_attention,
                                   .gpu_layers = options_.gpu_layers,
                                   .machines = options_.machines,
                                   .outputs = options_.parallel + weighed_tokens},
                                  stop_);
  if (stop_) return false;  // nobody is left to tell
  if (!loaded) {
    load_.publish({State::failed, loaded.error().message});
    return false;
  }
  model_ = std::move(*loaded);
  if (const Result<void> drafts = load_draft(); !drafts) {
    if (!stop_) load_.publish({State::failed, drafts.error().message});
    return false;
  }
  if (ImageEncoder* encoder = model_->image_encoder()) {
    images_ = std::make_unique<ImageQueue>(
        [encoder](std::string_view file) { return encoder->encode(file); },
        [this](Request request) { inbox_->put(std::move(request)); }, model_->cells());
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - started;
  log::info("model_loaded", {{"model", options_.name},
                             {"ms", took.count()},
                             {"threads", std::int64_t{options_.threads}},
                             {"context_tokens", std::int64_t{model_->context_tokens()}},
                             {"kv_cells", std::int64_t{model_->cells()}},
                             {"parallel", std::int64_t{options_.parallel}},
                             {"draft", draft_ != nullptr},
                             {"images", model_->image_encoder() != nullptr}});
  load_.publish({State::ready, {}});
  return true;
}

void LlamaEngine::serve() {
  Crew crew(std::min(options_.threads, crew_max));
  Scheduler scheduler(*model_, {.cells = model_->cells(),
                                .parallel = options_.parallel,
                                .sequences = model_->sequences(),
                                .batch_tokens = batch_tokens,
                                .outputs_max = options_.parallel + weighed_tokens,
                                .prefix_cache = options_.prefix_cache,
                                .guessed_max = options_.speculation ? weighed_tokens : 0,
                                .drafter = drafter_.get(),
                                .crew = &crew});
  while (!stop_) {
    try {
      for (Request& request : inbox_->take()) scheduler.add(std::move(request));
      const auto began = std::chrono::steady_clock::now();
      const bool advanced = scheduler.step(began);
      if (advanced) gauges_.stepped(std::chrono::steady_clock::now() - began);
      gauges_.update(scheduler);
      if (lost_machine()) scheduler.fail_all(not_loaded(status().reason));
      if (!advanced && !stop_) inbox_->wait(scheduler.next_deadline());
    } catch (const std::exception& exception) {  // out of memory, mostly
      log::error("step_failed", {{"model", options_.name}, {"reason", exception.what()}});
      scheduler.fail_all(model_broke());
    }
  }
  if (images_) images_->stop();
  for (Request& request : inbox_->take()) scheduler.add(std::move(request));
  scheduler.fail_all(engine_stops());
}

/// For good: the pool makes a new engine when somebody asks again.
bool LlamaEngine::lost_machine() {
  if (status().state == State::failed) return true;
  const std::string lost = model_->lost_machine();
  if (lost.empty()) return false;
  const std::string reason = "machine " + lost + " was lost. Run 'craton worker' on it again.";
  log::error("model_failed", {{"model", options_.name}, {"reason", reason}});
  load_.publish({State::failed, reason});
  return true;
}

void LlamaEngine::run() {
  pthread_setname_np(pthread_self(), "llama");
  try {
    if (load()) serve();
  } catch (const std::exception& exception) {
    log::error("load_failed", {{"model", options_.name}, {"reason", exception.what()}});
    load_.publish({State::failed, exception.what()});
  }
}

}  // namespace

std::unique_ptr<Engine> make_llama_engine(LlamaOptions options) {
  return std::make_unique<LlamaEngine>(std::move(options));
}

}  // namespace craton::engines::llama
