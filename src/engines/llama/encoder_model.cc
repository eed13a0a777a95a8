#include "engines/llama/encoder_model.h"

#include <ggml-cpu.h>
#include <llama.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <exception>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "engines/llama/llama_log.h"
#include "engines/llama/model_file.h"
#include "engines/refusals.h"

namespace craton::engines::llama {
namespace {

// Attention is computed between all tokens of a batch, of other sequences too, and masked: larger
// batches cost more a token than they save.
constexpr int batch_tokens_least = 512;
constexpr int batch_sequences_max = 64;
constexpr int sequence_tokens_default_max = 2048;

Error broken(std::string reason) { return {ErrorCode::model_error, std::move(reason)}; }

bool is_set(void* flag) {
  return static_cast<const std::atomic<bool>*>(flag)->load(std::memory_order_relaxed);
}

void* handle_of(const std::atomic<bool>& flag) { return const_cast<std::atomic<bool>*>(&flag); }

/// A text of the model's metadata; empty where there is none.
std::string metadata(const llama_model& model, const char* key) {
  std::string text(256, '\0');
  const int size = llama_model_meta_val_str(&model, key, text.data(), text.size());
  if (size < 0) return {};
  text.resize(std::min(static_cast<std::size_t>(size), text.size() - 1));
  return text;
}

std::optional<int> metadata_number(const llama_model& model, const char* key) {
  const std::string text = metadata(model, key);
  int number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && number > 0 ? std::optional(number) : std::nullopt;
}

std::vector<Token> tokens_of(const llama_vocab& vocab, std::string_view text, bool special) {
  std::vector<Token> tokens(64);
  const int count = llama_tokenize(&vocab, text.data(), static_cast<int>(text.size()),
                                   tokens.data(), static_cast<int>(tokens.size()), special, false);
  tokens.resize(static_cast<std::size_t>(std::max(count, 0)));
  return tokens;
}

void append_utf8(std::uint32_t character, std::string& out) {
  out += static_cast<char>(0xE0 | character >> 12);
  out += static_cast<char>(0x80 | (character >> 6 & 0x3F));
  out += static_cast<char>(0x80 | (character & 0x3F));
}

/// Each syllable as its two or three letters.
/// Source: The Unicode Standard, section 3.12, Hangul Syllable Decomposition.
std::string split_hangul(std::string_view text) {
  constexpr std::uint32_t first = 0xAC00, last = 0xD7A3, vowels = 21, finals = 28;
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    // Of valid UTF-8: a character of three bytes.
    const std::uint32_t character =
        byte(0) >> 4 == 0xE && at + 2 < text.size()
            ? (byte(0) & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu)
            : 0;
    if (character < first || character > last) {
      out += text[at++];
      continue;
    }
    const std::uint32_t index = character - first;
    append_utf8(0x1100 + index / (vowels * finals), out);
    append_utf8(0x1161 + index % (vowels * finals) / finals, out);
    if (index % finals != 0) append_utf8(0x11A7 + index % finals, out);
    at += 3;
  }
  return out;
}

/// Memory of a batch: llama.cpp wants an array per field.
struct Batch {
  explicit Batch(std::span<const std::span<const Token>> sequences) {
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      for (std::size_t at = 0; at < sequences[i].size(); ++at) {
        tokens.push_back(sequences[i][at]);
        positions.push_back(static_cast<int>(at));
        owners.push_back(static_cast<llama_seq_id>(i));
      }
    }
    counts.assign(tokens.size(), 1);
    outputs.assign(tokens.size(), 1);
    for (llama_seq_id& owner : owners) lists.push_back(&owner);
  }

  llama_batch view() {
    return {.n_tokens = static_cast<int>(tokens.size()),
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
  std::vector<llama_seq_id> owners;
  std::vector<llama_seq_id*> lists;
  std::vector<std::int8_t> outputs;
};

}  // namespace

void EncoderModel::FreeModel::operator()(llama_model* model) const { llama_model_free(model); }
void EncoderModel::FreeContext::operator()(llama_context* context) const { llama_free(context); }
void EncoderModel::FreeThreads::operator()(ggml_threadpool* threads) const {
  ggml_threadpool_free(threads);
}

EncoderModel::~EncoderModel() = default;

Result<std::unique_ptr<EncoderModel>> EncoderModel::load(const EncoderOptions& options,
                                                         const std::atomic<bool>& stop) {
  adopt_llama_log();
  if (const auto reason = why_no_model(options.path)) return broken(*reason);
  std::unique_ptr<EncoderModel> loaded(new EncoderModel(stop));
  CRATON_TRY(loaded->load_weights(options));
  loaded->tokenizer_ = std::make_unique<Tokenizer>(*llama_model_get_vocab(loaded->model_.get()));
  CRATON_TRY(loaded->find_special_tokens());
  CRATON_TRY(loaded->make_context(options));
  std::vector<Token> warm = loaded->prefix_;
  warm.insert(warm.end(), loaded->suffix_.begin(), loaded->suffix_.end());
  if (warm.empty()) warm.push_back(0);
  const std::span<const Token> sequence(warm);
  if (const auto done = loaded->encode({&sequence, 1}); !done) {
    return broken("model file " + options.path +
                  " gives no vectors. Name a text encoder, such as all-minilm-l6-v2.");
  }
  return loaded;
}

Result<void> EncoderModel::load_weights(const EncoderOptions& options) {
  llama_model_params params = llama_model_default_params();
  params.load_mode = LLAMA_LOAD_MODE_MMAP;
  params.n_gpu_layers = options.gpu_layers;
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
  const bool two_parts =
      llama_model_has_encoder(model_.get()) && llama_model_has_decoder(model_.get());
  if (two_parts || llama_vocab_n_tokens(vocab) == 0 ||
      llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_NONE) {
    return broken("model file " + options.path +
                  " is no text encoder. Name one, such as all-minilm-l6-v2.");
  }
  splits_hangul_ = llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_WPM &&
                   metadata(*model_, "tokenizer.ggml.normalizer.lowercase") != "false";
  prompts_ = {metadata(*model_, "craton.prompt.query"),
              metadata(*model_, "craton.prompt.document")};
  return {};
}

/// BERT's uncased vocabularies hold Hangul by the letter. llama.cpp takes a syllable for the first
/// of its letters (its table of decompositions has one character a row), so they are split here.
std::string EncoderModel::readable(std::string_view text) const {
  std::string mended = mended_utf8(text);
  return splits_hangul_ ? split_hangul(mended) : mended;
}

/// They are what the tokenizer puts around a text.
Result<void> EncoderModel::find_special_tokens() {
  const llama_vocab& vocab = *llama_model_get_vocab(model_.get());
  const std::vector<Token> plain = tokens_of(vocab, "a", false);
  const std::vector<Token> whole = tokens_of(vocab, "a", true);
  const auto at = std::ranges::search(whole, plain);
  if (plain.empty() || at.empty()) return broken("the encoder's vocabulary cannot express \"a\".");
  prefix_.assign(whole.begin(), at.begin());
  suffix_.assign(at.end(), whole.end());
  between_ = suffix_;
  // RoBERTa's pairs have a separator beside the end of the first.
  if (llama_vocab_get_add_eos(&vocab) && llama_vocab_get_add_sep(&vocab) &&
      llama_vocab_type(&vocab) != LLAMA_VOCAB_TYPE_WPM) {
    between_.push_back(llama_vocab_sep(&vocab));
  }
  return {};
}

Result<void> EncoderModel::make_context(const EncoderOptions& options) {
  const int trained = std::max(1, llama_model_n_ctx_train(model_.get()));
  const int told =
      metadata_number(*model_, "craton.sequence_tokens").value_or(sequence_tokens_default_max);
  sequence_tokens_ =
      std::min(trained, options.sequence_tokens > 0 ? options.sequence_tokens : told);
  const auto around = static_cast<int>(prefix_.size() + suffix_.size() + between_.size());
  if (sequence_tokens_ < around + 4) {
    return broken("the encoder's sequences of " + std::to_string(sequence_tokens_) +
                  " tokens are too short. Give it a larger context.");
  }
  batch_tokens_ = std::max(batch_tokens_least, sequence_tokens_);
  thread_choice_ = ThreadChoice(options.threads);

  llama_context_params params = llama_context_default_params();
  const auto tokens = static_cast<std::uint32_t>(batch_tokens_);
  params.n_ctx = tokens;
  params.n_batch = tokens;
  params.n_ubatch = tokens;
  params.n_seq_max = batch_sequences_max;
  params.n_threads = options.threads;
  params.n_threads_batch = options.threads;
  params.pooling_type = LLAMA_POOLING_TYPE_UNSPECIFIED;  // the file's own
  params.embeddings = true;
  params.kv_unified = true;
  params.no_perf = true;
  params.abort_callback = is_set;
  params.abort_callback_data = handle_of(stop_);

  ggml_threadpool_params pool = ggml_threadpool_params_default(options.threads);
  pool.poll = 0;  // sleep between batches
  threads_.reset(ggml_threadpool_new(&pool));
  const ErrorCollector collector;
  context_.reset(llama_init_from_model(model_.get(), params));
  if (!threads_ || !context_) {
    return broken("no memory for the encoder: " + collector.errors_or("out of memory") + ".");
  }
  llama_attach_threadpool(context_.get(), threads_.get(), threads_.get());
  switch (llama_pooling_type(context_.get())) {
    case LLAMA_POOLING_TYPE_NONE:
    case LLAMA_POOLING_TYPE_UNSPECIFIED:
      return broken("model file " + options.path +
                    " does not say how vectors of tokens become one (pooling_type). Name a text "
                    "encoder, such as all-minilm-l6-v2.");
    case LLAMA_POOLING_TYPE_RANK: ranks_ = true; break;
    default: break;
  }
  return {};
}

int EncoderModel::batch_sequences() const { return batch_sequences_max; }

int EncoderModel::dimension() const {
  return ranks_ ? static_cast<int>(llama_model_n_cls_out(model_.get()))
                : llama_model_n_embd_out(model_.get());
}

Result<std::vector<std::vector<float>>> EncoderModel::encode(
    std::span<const std::span<const Token>> sequences) {
  Batch batch(sequences);
  const int tokens = static_cast<int>(batch.tokens.size());
  const int threads = thread_choice_.threads_for(tokens);
  llama_set_n_threads(context_.get(), threads, threads);
  const auto began = std::chrono::steady_clock::now();
  int status = 0;
  try {
    // Some encoders are decoders that read once (Qwen3-Embedding): those have a cache.
    if (llama_memory_t memory = llama_get_memory(context_.get())) {
      llama_memory_clear(memory, true);
      status = llama_decode(context_.get(), batch.view());
    } else {
      status = llama_encode(context_.get(), batch.view());
    }
  } catch (const std::exception& exception) {  // out of memory, mostly
    log::error("encode_failed", {{"reason", exception.what()}});
    return model_broke();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  thread_choice_.observe(tokens, threads, took.count());
  if (status == 2) return engine_stops();
  if (status != 0) return model_broke();
  std::vector<std::vector<float>> vectors;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const float* row = llama_get_embeddings_seq(context_.get(), static_cast<llama_seq_id>(i));
    if (!row) return model_broke();
    vectors.emplace_back(row, row + dimension());
  }
  return vectors;
}

}  // namespace craton::engines::llama
