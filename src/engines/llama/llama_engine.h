// The llama engine: answers from a GGUF model inside this process, by llama.cpp.
//
//   generate() ── template, tokens ──► inbox ──► one thread: load, then batches of all answers
//   (caller's thread)                            (scheduler.h) ──► each answer's Generation
//
// A prompt with images goes by another thread first, which encodes them (image_queue.h).
//
// Loading happens on that thread, so the engine is there at once. Destroying it ends what runs: a
// load or a batch is given up half way; an image that is being encoded is finished.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engines/engine.h"

namespace craton::engines::llama {

/// Numbers of the KV cache.
enum class KvType {
  f16,
  q8_0,  ///< Half the memory, nearly as exact.
  q4_0,  ///< A quarter of it, and heard in the answers.
};

enum class FlashAttention { automatic, on, off };

inline constexpr int context_tokens_default = 8192;

struct LlamaOptions {
  std::string path = {};       ///< A GGUF file.
  std::string name = {};       ///< Engine::model(); empty: the file's name without ".gguf".
  std::string projector = {};  ///< A GGUF file by which the model sees images; empty: it does not.
  /// A GGUF file of a smaller model with the same vocabulary, which guesses ahead where an answer
  /// is made alone and that wins time; empty: none.
  std::string draft = {};
  int threads = 0;  ///< That compute, 1 to 512. 0: one per physical core.
  /// Most tokens of one conversation, prompt and answer. 0: `context_tokens_default`, which 0.1 GB
  /// of KV cache holds for a model of 0.5 billion parameters and 1 GB for one of 8. Never more than
  /// the model was made for.
  int context_tokens = 0;
  /// Tokens of the KV cache, shared by all answers that are being made. 0: as `context_tokens`, so
  /// that one long conversation, or `parallel` of a usual length, fit.
  int kv_cells = 0;
  int parallel = 0;  ///< Answers made at once, 1 to 64. 0: 8.
  /// Prompts are kept for others that begin alike, while there are cells.
  bool prefix_cache = true;
  KvType kv_type = KvType::f16;
  FlashAttention flash_attention = FlashAttention::automatic;
  int gpu_layers = -1;  ///< Computed by a GPU, where the build has one, or by `machines`; -1: all.
  std::vector<std::string> machines =
      {};                   ///< "host:port" of each `craton worker` that computes too.
  bool speculation = true;  ///< Answers that repeat what stands before them are guessed ahead.
  int waiting_max = 64;  ///< Requests that wait beyond those; the next is told to come back later.
};

/// Memory that the model would take, about, in bytes: its weights, and the KV cache of `options`.
/// Fails with `validation` when the file is no model.
Result<std::uint64_t> memory_needed(const LlamaOptions& options);

/// Never fails: what is wrong with the file or the options' size is in status().
std::unique_ptr<Engine> make_llama_engine(LlamaOptions options);

}  // namespace craton::engines::llama
