// What a file of weights says of itself, by the names of its tensors.
//
// Sources: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and
// https://github.com/huggingface/safetensors (Format)
#pragma once

#include <string>
#include <string_view>

namespace craton::engines::diffusion {

enum class WeightsKind {
  other,      ///< No model that draws, or no file that can be told.
  unet,       ///< Stable Diffusion 1 and 2, SDXL.
  flow,       ///< A transformer that follows a flow: Stable Diffusion 3.
  distilled,  ///< The same with the guidance learned, which it takes as a number: Flux.
};

/// Of the beginning of a GGUF or safetensors file. No I/O, no globals.
WeightsKind kind_of_head(std::string_view head);

/// Of a file; reads its beginning.
WeightsKind kind_of(const std::string& path);

}  // namespace craton::engines::diffusion
