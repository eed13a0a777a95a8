// The KV cache's numbers, as ggml names them.
#pragma once

#include <ggml.h>

#include "engines/llama/llama_engine.h"

namespace craton::engines::llama {

inline constexpr ggml_type ggml_type_of(KvType type) {
  switch (type) {
    case KvType::q8_0: return GGML_TYPE_Q8_0;
    case KvType::q4_0: return GGML_TYPE_Q4_0;
    case KvType::f16: break;
  }
  return GGML_TYPE_F16;
}

}  // namespace craton::engines::llama
