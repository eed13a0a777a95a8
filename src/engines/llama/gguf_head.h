// The beginning of a GGUF file, read without llama.cpp.
// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
//
// No I/O, no globals.
#pragma once

#include <string_view>

namespace craton::engines::llama {

/// True when `head`, the first bytes of a GGUF file, says how vectors of tokens become one
/// (`<architecture>.pooling_type`). Reads no further than to the first array: model files begin
/// with what they are, and vocabularies come behind.
bool says_encoder(std::string_view head);

}  // namespace craton::engines::llama
