// The diffusion engine: pictures from a prompt, from another picture, or inside of a mask, drawn by
// stable-diffusion.cpp in a process of its own, craton-diffusion.
//
//   draw() ──► inbox ──► one thread: the queue, the worker's pipe, deadlines (drawing_loop.h)
//   (caller's thread)         │ messages.h
//                             ▼
//                        craton-diffusion: loads the weights, draws one picture at a time
//
// A process of its own because its ggml is another version than llama.cpp's, and so that what ends
// it (a file that is no model, no memory left) does not end the server. It is started with the
// engine and ended with it; one that ends by itself fails the requests that wait and is started
// again by the next.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "engines/engine.h"

namespace craton::engines::diffusion {

struct DiffusionOptions {
  // Files of weights; empty: none. One of the first two is there. Formats: safetensors, GGUF,
  // PyTorch's.
  std::string path = {};             ///< All of a model, or what `diffusion_model` is for.
  std::string diffusion_model = {};  ///< What denoises alone: Flux, Stable Diffusion 3.
  std::string vae = {};
  std::string taesd = {};  ///< A small, quick and less exact stand-in for the VAE.
  std::string clip_l = {};
  std::string clip_g = {};
  std::string t5xxl = {};

  std::string name = {};     ///< Engine::model(); empty: the file's name without its ending.
  int threads = 0;           ///< That compute. 0: one per physical core.
  int steps = 0;             ///< Where a request names none; 0: 20.
  std::string sampler = {};  ///< The same: SDXL's name or the library's; empty: the model's own.
  int waiting_max = 8;       ///< Requests beside the one that is drawn; the next are throttled.

  std::string program = {};  ///< Of the worker; empty: worker_program().
  /// How long it may go on with a picture that nobody wants any more, a step at least, before it is
  /// ended and its weights are loaded anew.
  std::chrono::milliseconds cancel_grace{30'000};
  std::chrono::milliseconds load_limit{600'000};
  /// A worker that ended so often by itself in so long a time is not started again until then.
  int ends_max = 3;
  std::chrono::milliseconds ends_window{60'000};
};

/// True for a GGUF or safetensors file that holds what denoises; reads its beginning.
bool is_diffusion(const std::string& path);

/// Memory that the model would take, about, in bytes: its weights, and what a picture of a
/// megapixel needs. Fails with `validation` when a file is not there; the message says which.
Result<std::uint64_t> diffusion_memory_needed(const DiffusionOptions& options);

/// Never fails: what is wrong with the files is in status().
std::unique_ptr<Engine> make_diffusion_engine(DiffusionOptions options);

}  // namespace craton::engines::diffusion
