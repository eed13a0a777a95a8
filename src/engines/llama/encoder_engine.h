// The llama engine's other half: vectors of texts from a GGUF encoder inside this process.
//
//   embed() ──► inbox ──► one thread: load, then tokens (encoder_text.h) and batches of all
//   (caller's thread)     requests (encoder_queue.h) ──► each request's Embedding
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engines/engine.h"

namespace craton::engines::llama {

struct EncoderEngineOptions {
  std::string path = {};   ///< A GGUF file.
  std::string name = {};   ///< Engine::model(); empty: the file's name without ".gguf".
  int threads = 0;         ///< That compute. 0: one per physical core.
  int context_tokens = 0;  ///< Of one sequence; longer texts are read in parts. 0: the file's own.
  int gpu_layers = -1;     ///< Computed by a GPU, where the build has one; -1: all.
  int requests_max = 72;   ///< Held at once; the next is told to come back later.
};

/// True for a model file that says how it makes one vector of a text's.
bool is_encoder(const std::string& path);

/// Memory that the encoder would take, about, in bytes. Fails with `validation` when the file is no
/// model.
Result<std::uint64_t> encoder_memory_needed(const EncoderEngineOptions& options);

/// Never fails: what is wrong with the file is in status().
std::unique_ptr<Engine> make_encoder_engine(EncoderEngineOptions options);

}  // namespace craton::engines::llama
