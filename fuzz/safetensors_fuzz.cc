// safetensors files: every tensor lies in the file, and a model made of them is whole or refused.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "models/safetensors.h"
#include "models/test_encoder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace craton::models;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  if (const auto tensors = read_safetensors(file)) {
    for (const Tensor& tensor : *tensors) {
      if (tensor.bytes.empty()) continue;
      const bool inside = tensor.bytes.data() >= file.data() &&
                          tensor.bytes.data() + tensor.bytes.size() <= file.data() + file.size();
      if (!inside || tensor.bytes.size() % numbers_of(tensor.shape) != 0) std::abort();
    }
  }
  SentenceTransformer encoder = tiny_encoder();
  encoder.weights = file;
  std::string out;
  const auto put = [&out](std::string_view piece) -> craton::Result<void> {
    out += piece;
    return {};
  };
  const auto written = write_bert_gguf(encoder, {"fuzz", "none"}, put);
  if (written && !out.starts_with("GGUF")) std::abort();
  return 0;
}
