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

#include <memory>
#include <string>

#include "engines/engine.h"

namespace craton::engines::llama {

struct LlamaOptions {
  std::string path = {};       ///< A GGUF file.
  std::string name = {};       ///< Engine::model(); empty: the file's name without ".gguf".
  std::string projector = {};  ///< A GGUF file by which the model sees images; empty: it does not.
  int threads = 0;             ///< That compute, 1 to 512. 0: one per physical core.
  /// Most tokens of one conversation, prompt and answer. 0: 8192, which 0.1 GB of KV cache holds
  /// for a model of 0.5 billion parameters and 1 GB for one of 8. Never more than the model was
  /// made for.
  int context_tokens = 0;
  /// Tokens of the KV cache, shared by all answers that are being made. 0: as `context_tokens`, so
  /// that one long conversation, or `parallel` of a usual length, fit.
  int kv_cells = 0;
  int parallel = 0;  ///< Answers made at once, 1 to 64. 0: 8.
  /// Prompts are kept for others that begin alike, while there are cells.
  bool prefix_cache = true;
  bool speculation = true;  ///< Answers that repeat what stands before them are guessed ahead.
  int waiting_max = 64;  ///< Requests that wait beyond those; the next is told to come back later.
};

/// Never fails: what is wrong with the file or the options' size is in status().
std::unique_ptr<Engine> make_llama_engine(LlamaOptions options);

}  // namespace craton::engines::llama
