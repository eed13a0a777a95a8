// EncoderModel: a GGUF file whose model turns token sequences into vectors, as llama.cpp holds it.
//
// Pooling, special tokens and prompts come from the file's metadata. `craton.sequence_tokens`,
// `craton.prompt.query` and `craton.prompt.document` are keys of our own (models/bert_gguf.h).
//
// The tokenizer and the numbers may be used from any thread, encode() from one.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engines/llama/decoder.h"
#include "engines/llama/thread_choice.h"
#include "engines/llama/tokenizer.h"

struct ggml_threadpool;
struct llama_context;
struct llama_model;

namespace craton::engines::llama {

/// Computes batches of sequences: a model, or what stands for one in tests.
class SequenceEncoder {
 public:
  virtual ~SequenceEncoder() = default;

  /// A vector for each sequence, in order. Each has at least one token, and at most as many as the
  /// batch may have in all.
  /// Fails with `service_unavailable` when it was interrupted, else with `model_error`.
  virtual Result<std::vector<std::vector<float>>> encode(
      std::span<const std::span<const Token>> sequences) = 0;
};

struct EncoderOptions {
  std::string path;
  int threads = 1;
  int sequence_tokens = 0;  ///< Of one sequence; 0: as the file says, 2048 at most.
  int gpu_layers = -1;
};

/// What a model's makers put before texts.
struct Prompts {
  std::string query;
  std::string document;
};

class EncoderModel : public SequenceEncoder {
 public:
  /// Loads, and computes one sequence so that the first request does not pay for it. Gives up soon
  /// after `stop` becomes true, as encode() does; it must outlive the model. Fails with
  /// `model_error`; the message is for the operator and names the path.
  static Result<std::unique_ptr<EncoderModel>> load(const EncoderOptions& options,
                                                    const std::atomic<bool>& stop);
  ~EncoderModel() override;

  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const Prompts& prompts() const { return prompts_; }

  /// `text`, UTF-8 or not, as the tokenizer should get it.
  std::string readable(std::string_view text) const;
  bool ranks() const { return ranks_; }  ///< Its vectors are scores of pairs.
  int dimension() const;

  /// What belongs before and behind a text's tokens, and between those of a pair.
  const std::vector<Token>& prefix() const { return prefix_; }
  const std::vector<Token>& suffix() const { return suffix_; }
  const std::vector<Token>& between() const { return between_; }

  int sequence_tokens() const { return sequence_tokens_; }  ///< Of one sequence, at most.
  int batch_tokens() const { return batch_tokens_; }        ///< Of all sequences of a batch.
  int batch_sequences() const;

  Result<std::vector<std::vector<float>>> encode(
      std::span<const std::span<const Token>> sequences) override;

 private:
  explicit EncoderModel(const std::atomic<bool>& stop) : stop_(stop) {}

  Result<void> load_weights(const EncoderOptions& options);
  Result<void> make_context(const EncoderOptions& options);
  Result<void> find_special_tokens();

  struct FreeModel {
    void operator()(llama_model* model) const;
  };
  struct FreeContext {
    void operator()(llama_context* context) const;
  };
  struct FreeThreads {
    void operator()(ggml_threadpool* threads) const;
  };

  const std::atomic<bool>& stop_;
  std::unique_ptr<llama_model, FreeModel> model_;
  std::unique_ptr<ggml_threadpool, FreeThreads> threads_;
  std::unique_ptr<llama_context, FreeContext> context_;  // goes before its threads and its model
  std::unique_ptr<Tokenizer> tokenizer_;
  Prompts prompts_;
  std::vector<Token> prefix_;
  std::vector<Token> suffix_;
  std::vector<Token> between_;
  bool ranks_ = false;
  bool splits_hangul_ = false;
  int sequence_tokens_ = 0;
  int batch_tokens_ = 0;
  ThreadChoice thread_choice_{1};
};

}  // namespace craton::engines::llama
