#include "engines/llama/loaded_model.h"

#include <ggml-cpu.h>
#include <llama.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <exception>
#include <optional>
#include <string_view>

#include "base/log.h"
#include "engines/llama/cache_type.h"
#include "engines/llama/gpus.h"
#include "engines/llama/llama_log.h"
#include "engines/llama/model_file.h"
#include "engines/llama/remote_layers.h"

namespace craton::engines::llama {
namespace {

constexpr int sequences_max = 256;  // of llama.cpp
constexpr int padding = 256;        // llama.cpp rounds the KV cache up to a multiple of it

Error broken(std::string reason) { return {ErrorCode::model_error, std::move(reason)}; }

bool is_set(void* flag) {
  return static_cast<const std::atomic<bool>*>(flag)->load(std::memory_order_relaxed);
}

/// llama.cpp takes the flag as a pointer to non-const, and only hands it back.
void* handle_of(const std::atomic<bool>& flag) { return const_cast<std::atomic<bool>*>(&flag); }

/// A number of the model's own metadata.
std::optional<float> metadata_number(const llama_model* model, llama_model_meta_key key) {
  char text[64];
  const int size =
      llama_model_meta_val_str(model, llama_model_meta_key_str(key), text, sizeof text);
  float number = 0;
  if (size <= 0 || size >= static_cast<int>(sizeof text)) return std::nullopt;
  if (std::from_chars(text, text + size, number).ec != std::errc()) return std::nullopt;
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

/// llama.cpp computes with a quantized cache by flash attention alone.
llama_flash_attn_type flash_attention_type(const LoadOptions& options) {
  if (options.kv_type != KvType::f16) return LLAMA_FLASH_ATTN_TYPE_ENABLED;
  switch (options.flash_attention) {
    case FlashAttention::on: return LLAMA_FLASH_ATTN_TYPE_ENABLED;
    case FlashAttention::off: return LLAMA_FLASH_ATTN_TYPE_DISABLED;
    case FlashAttention::automatic: break;
  }
  return LLAMA_FLASH_ATTN_TYPE_AUTO;
}

}  // namespace

void LoadedModel::FreeModel::operator()(llama_model* model) const { llama_model_free(model); }
void LoadedModel::FreeContext::operator()(llama_context* context) const { llama_free(context); }
void LoadedModel::FreeThreads::operator()(ggml_threadpool* threads) const {
  ggml_threadpool_free(threads);
}

struct LoadedModel::Batch {
  explicit Batch(int most)
      : tokens(most),
        positions(most),
        counts(most, 1),
        sequences(most),
        lists(most),
        outputs(most) {
    for (int i = 0; i < most; ++i) lists[i] = &sequences[i];
  }

  llama_batch filled(std::span<const BatchEntry> entries) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      tokens[i] = entries[i].token;
      positions[i] = entries[i].position;
      sequences[i] = entries[i].sequence;
      outputs[i] = entries[i].wants_logits ? 1 : 0;
    }
    return {.n_tokens = static_cast<int>(entries.size()),
            .token = tokens.data(),
            .embd = nullptr,
            .pos = positions.data(),
            .n_seq_id = counts.data(),
            .seq_id = lists.data(),
            .logits = outputs.data()};
  }

  std::vector<llama_token> tokens;
  std::vector<llama_pos> positions;
  std::vector<int> counts;
  std::vector<llama_seq_id> sequences;
  std::vector<llama_seq_id*> lists;
  std::vector<std::int8_t> outputs;
};

LoadedModel::LoadedModel(const std::atomic<bool>& stop) : stop_(stop) {}
LoadedModel::~LoadedModel() = default;

Result<std::unique_ptr<LoadedModel>> LoadedModel::load(const LoadOptions& options,
                                                       const std::atomic<bool>& stop) {
  adopt_llama_log();
  if (const auto reason = why_no_model(options.path)) return broken(*reason);
  std::unique_ptr<LoadedModel> loaded(new LoadedModel(stop));
  CRATON_TRY(loaded->load_weights(options));
  CRATON_TRY(loaded->make_context(options));
  CRATON_TRY(loaded->load_projector(options));
  loaded->tokenizer_ = std::make_unique<Tokenizer>(*llama_model_get_vocab(loaded->model_.get()));
  CRATON_TRY(loaded->compile_template());
  loaded->read_sampling_defaults();
  loaded->warm_up();
  return loaded;
}

Result<void> LoadedModel::load_weights(const LoadOptions& options) {
  llama_model_params params = llama_model_default_params();
  params.load_mode = LLAMA_LOAD_MODE_MMAP;
  params.n_gpu_layers = options.gpu_layers;
  if (options.gpu_layers != 0) warn_without_gpu();
  CRATON_TRY_ASSIGN(machines_, Machines::reach(options.machines));
  std::vector<ggml_backend_dev_t> devices = machines_.devices();
  devices.push_back(nullptr);  // ends the list
  if (devices.size() > 1) params.devices = devices.data();
  params.progress_callback = [](float, void* stop) { return !is_set(stop); };
  params.progress_callback_user_data = handle_of(stop_);
  const ErrorCollector collector;
  model_.reset(llama_model_load_from_file(options.path.c_str(), params));
  if (!model_) {
    return broken("model file " + options.path +
                  " cannot be loaded: " + collector.errors_or("loading was given up") +
                  ". If the file is damaged, fetch it again.");
  }
  const llama_vocab* vocab = llama_model_get_vocab(model_.get());
  if (!llama_model_has_decoder(model_.get()) || llama_model_has_encoder(model_.get()) ||
      llama_model_is_diffusion(model_.get()) || llama_vocab_n_tokens(vocab) == 0 ||
      llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_NONE) {
    return broken("model file " + options.path +
                  " is no model that continues text. Name a chat or completion model.");
  }
  return {};
}

Result<void> LoadedModel::make_context(const LoadOptions& options) {
  context_tokens_ = std::max(2, options.context_tokens);
  if (const int trained = llama_model_n_ctx_train(model_.get()); trained > 1) {
    context_tokens_ = std::min(context_tokens_, trained);
  }
  const int cells = std::max(options.cells, context_tokens_);
  // A recurrent state is that of the end. Where the attention's window slides, cells that a
  // sequence has left behind may be taken from it, though a shorter one would need them.
  shares_ = !llama_model_is_recurrent(model_.get()) && !llama_model_is_hybrid(model_.get()) &&
            llama_model_n_swa(model_.get()) == 0;
  const int sequences =
      shares_ ? std::min(sequences_max, options.parallel + options.kept_max) : options.parallel;
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<std::uint32_t>((cells + padding - 1) / padding * padding);
  // One ubatch a batch: a batch that fails has then changed nothing or itself only.
  params.n_batch = params.n_ubatch = static_cast<std::uint32_t>(options.batch_tokens);
  params.n_seq_max = static_cast<std::uint32_t>(sequences);
  params.n_outputs_max = static_cast<std::uint32_t>(std::max(options.outputs, sequences));
  params.n_threads = params.n_threads_batch = options.threads;
  params.kv_unified = true;
  params.type_k = params.type_v = ggml_type_of(options.kv_type);
  params.flash_attn_type = flash_attention_type(options);
  params.abort_callback = is_set;
  params.abort_callback_data = handle_of(stop_);

  ggml_threadpool_params pool = ggml_threadpool_params_default(options.threads);
  pool.poll =
      0;  // sleep between batches: an idle engine uses no CPU, a busy one leaves it to others
  threads_.reset(ggml_threadpool_new(&pool));
  const ErrorCollector collector;
  context_.reset(llama_init_from_model(model_.get(), params));
  if (!threads_ || !context_) {
    return broken("no memory for " + std::to_string(cells) +
                  " tokens of context: " + collector.errors_or("out of memory") +
                  ". Ask for a smaller context or fewer parallel answers.");
  }
  llama_attach_threadpool(context_.get(), threads_.get(), threads_.get());
  batch_ = std::make_unique<Batch>(options.batch_tokens);
  return {};
}

Result<void> LoadedModel::load_projector(const LoadOptions& options) {
  if (options.projector.empty()) return {};
  CRATON_TRY_ASSIGN(image_encoder_, ImageEncoder::load({.path = options.projector,
                                                        .threads = options.threads,
                                                        .batch_tokens = options.batch_tokens},
                                                       *model_));
  return {};
}

Result<void> LoadedModel::compile_template() {
  const char* own = llama_model_chat_template(model_.get(), nullptr);
  if (!own) log::warning("model_without_chat_template", {{"used", "chatml"}});
  CRATON_TRY_ASSIGN(ChatTemplate compiled,
                    ChatTemplate::compile({.text = own ? own : std::string(chatml_template),
                                           .bos = tokenizer_->bos_text(),
                                           .eos = tokenizer_->eos_text()}));
  chat_template_ = std::make_unique<ChatTemplate>(std::move(compiled));
  return {};
}

void LoadedModel::read_sampling_defaults() {
  const auto number = [&](llama_model_meta_key key, float otherwise) {
    return metadata_number(model_.get(), key).value_or(otherwise);
  };
  SamplingDefaults& defaults = sampling_defaults_;
  defaults.temperature = number(LLAMA_MODEL_META_KEY_SAMPLING_TEMP, defaults.temperature);
  defaults.top_p = number(LLAMA_MODEL_META_KEY_SAMPLING_TOP_P, defaults.top_p);
  const float top_k =
      number(LLAMA_MODEL_META_KEY_SAMPLING_TOP_K, static_cast<float>(defaults.top_k));
  defaults.top_k = static_cast<int>(std::clamp(top_k, 0.0F, 1e6F));
}

/// Vocabularies of one family of models may be padded to different sizes.
Result<int> LoadedModel::common_vocabulary(const LoadedModel& other) const {
  constexpr int padding_max = 256;
  const llama_vocab* own = llama_model_get_vocab(model_.get());
  const llama_vocab* others = llama_model_get_vocab(other.model_.get());
  const int size = llama_vocab_n_tokens(own), others_size = llama_vocab_n_tokens(others);
  const int common = std::min(size, others_size);
  bool same = llama_vocab_type(own) == llama_vocab_type(others) &&
              std::max(size, others_size) - common <= padding_max;
  for (llama_token token = 0; token < common && same; ++token) {
    same =
        std::string_view(llama_vocab_get_text(own, token)) == llama_vocab_get_text(others, token);
  }
  if (same) return common;
  return broken(
      "the draft model has another vocabulary than the model that it drafts for. Take a "
      "smaller one of the same family, or none.");
}

/// The first batch maps the weights in and allocates what batches need. Its result does not matter.
void LoadedModel::warm_up() {
  const BatchEntry entry{.token = 0, .position = 0, .sequence = 0, .wants_logits = true};
  decode({&entry, 1});
  llama_memory_clear(llama_get_memory(context_.get()), true);
}

int LoadedModel::cells() const { return static_cast<int>(llama_n_ctx(context_.get())); }

int LoadedModel::sequences() const { return static_cast<int>(llama_n_seq_max(context_.get())); }

DecodeStatus LoadedModel::decode(std::span<const BatchEntry> batch) {
  if (!machines_.lost().empty()) return DecodeStatus::failed;
  try {
    switch (llama_decode(context_.get(), batch_->filled(batch))) {
      case 0: return arrived() ? DecodeStatus::done : DecodeStatus::failed;
      case 1: return DecodeStatus::no_room;
      case 2: return DecodeStatus::interrupted;
      default: return DecodeStatus::failed;
    }
  } catch (const std::exception& exception) {  // out of memory, mostly
    log::error("decode_failed", {{"reason", exception.what()}});
    return DecodeStatus::failed;
  }
}

/// Whether what other machines had to compute is what they computed.
bool LoadedModel::arrived() {
  if (machines_.empty()) return true;
  llama_synchronize(context_.get());
  return machines_.lost().empty();
}

DecodeStatus LoadedModel::decode_image(const ImagePiece& piece, int position, int sequence) {
  if (!image_encoder_) return DecodeStatus::failed;
  return image_encoder_->decode(*context_, piece, position, sequence);
}

std::span<const float> LoadedModel::logits(std::size_t index) {
  const float* row = llama_get_logits_ith(context_.get(), static_cast<int>(index));
  if (!row) return {};
  const int size = llama_vocab_n_tokens(llama_model_get_vocab(model_.get()));
  return {row, static_cast<std::size_t>(size)};
}

void LoadedModel::share(int from, int to, int tokens) {
  llama_memory_seq_cp(llama_get_memory(context_.get()), from, to, 0, tokens);
}

bool LoadedModel::forget(int sequence, int position) {
  llama_memory_t memory = llama_get_memory(context_.get());
  if (llama_memory_seq_rm(memory, sequence, position, -1)) return true;
  llama_memory_seq_rm(memory, sequence, -1, -1);
  return false;
}

}  // namespace craton::engines::llama
