// LoadedModel: a GGUF file as llama.cpp holds it, ready to decode.
//
// Weights are mapped, not read; the CPU kernels' own layouts of them are made while loading. The KV
// cache is one for all sequences. Threads that compute are kept for the model's
// life and sleep between batches.
//
// tokenizer(), chat_template() and the numbers may be used from any thread, the rest from one.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engines/llama/chat_template.h"
#include "engines/llama/decoder.h"
#include "engines/llama/image_encoder.h"
#include "engines/llama/llama_engine.h"
#include "engines/llama/remote_layers.h"
#include "engines/llama/sampler.h"
#include "engines/llama/tokenizer.h"

struct ggml_threadpool;
struct llama_context;
struct llama_model;

namespace craton::engines::llama {

struct LoadOptions {
  std::string path;
  int threads = 1;
  int context_tokens = 0;  ///< Most of one sequence; lowered to what the model was trained for.
  int cells = 0;           ///< Of the KV cache; raised to `context_tokens`.
  int parallel = 1;
  int kept_max = 0;  ///< Sequences beyond `parallel`, which hold beginnings to share.
  int batch_tokens = 512;
  std::string projector = {};  ///< By which it sees images; empty: it does not.
  KvType kv_type = KvType::f16;
  FlashAttention flash_attention = FlashAttention::automatic;  ///< On where `kv_type` needs it.
  int gpu_layers = -1;                     ///< Where there is a GPU, or are machines; -1: all.
  std::vector<std::string> machines = {};  ///< That compute layers too: "host:port".
  int outputs = 1;                         ///< Most tokens of a batch whose logits are wanted.
};

class LoadedModel : public Decoder {
 public:
  /// Loads, and computes one token so that the first request does not pay for it. Gives up soon
  /// after `stop` becomes true, as decode() does; it must outlive the model. Fails with
  /// `model_error`; the message is for the operator and names the path.
  static Result<std::unique_ptr<LoadedModel>> load(const LoadOptions& options,
                                                   const std::atomic<bool>& stop);
  ~LoadedModel() override;

  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const ChatTemplate& chat_template() const { return *chat_template_; }
  const SamplingDefaults& sampling_defaults() const { return sampling_defaults_; }
  int context_tokens() const { return context_tokens_; }
  int cells() const;
  int sequences() const;

  /// Tokens that mean the same to both models: all below it. Fails with `model_error`, for the
  /// operator, when that is not nearly all of them.
  Result<int> common_vocabulary(const LoadedModel& other) const;

  /// Null when it sees none. Its const functions and encode() may be called from any thread.
  ImageEncoder* image_encoder() const { return image_encoder_.get(); }

  /// A machine without which it cannot compute any more; empty: none.
  std::string lost_machine() const { return machines_.lost(); }

  DecodeStatus decode(std::span<const BatchEntry> batch) override;
  DecodeStatus decode_image(const ImagePiece& piece, int position, int sequence) override;
  std::span<const float> logits(std::size_t index) override;
  bool forget(int sequence, int position) override;
  bool shares() const override { return shares_; }
  void share(int from, int to, int tokens) override;
  bool ends_answer(Token token) const override { return tokenizer_->ends_answer(token); }
  std::string bytes_of(Token token) const override { return tokenizer_->bytes_of(token); }
  std::string control_text(Token token) const override { return tokenizer_->control_text(token); }

 private:
  explicit LoadedModel(const std::atomic<bool>& stop);

  Result<void> load_weights(const LoadOptions& options);
  Result<void> make_context(const LoadOptions& options);
  Result<void> load_projector(const LoadOptions& options);
  Result<void> compile_template();
  void read_sampling_defaults();
  void warm_up();
  bool arrived();

  struct FreeModel {
    void operator()(llama_model* model) const;
  };
  struct FreeContext {
    void operator()(llama_context* context) const;
  };
  struct FreeThreads {
    void operator()(ggml_threadpool* threads) const;
  };
  /// Memory of a batch, reused: llama.cpp wants an array per field.
  struct Batch;

  const std::atomic<bool>& stop_;
  Machines machines_;
  std::unique_ptr<llama_model, FreeModel> model_;
  std::unique_ptr<ggml_threadpool, FreeThreads> threads_;
  std::unique_ptr<llama_context, FreeContext> context_;  // goes before its threads and its model
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<ChatTemplate> chat_template_;
  std::unique_ptr<ImageEncoder> image_encoder_;
  std::unique_ptr<Batch> batch_;
  SamplingDefaults sampling_defaults_;
  int context_tokens_ = 0;
  bool shares_ = false;
};

}  // namespace craton::engines::llama
