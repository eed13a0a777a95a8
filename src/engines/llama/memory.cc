// What a model takes, from its file's header.
#include <fmt/format.h>
#include <ggml.h>
#include <gguf.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <system_error>

#include "engines/llama/cache_type.h"
#include "engines/llama/llama_engine.h"
#include "engines/llama/model_file.h"

namespace craton::engines::llama {
namespace {

constexpr std::uint64_t beside_cells = 64 << 20;  // batches, the vocabulary, the template

struct FreeHeader {
  void operator()(gguf_context* header) const { gguf_free(header); }
};

/// The keys of one architecture: "qwen2.block_count".
class Header {
 public:
  explicit Header(const std::string& path)
      : header_(gguf_init_from_file(path.c_str(), {.no_alloc = true, .ctx = nullptr})) {
    if (!header_) return;
    const std::int64_t key = gguf_find_key(header_.get(), "general.architecture");
    if (key < 0 || gguf_get_kv_type(header_.get(), key) != GGUF_TYPE_STRING) return;
    prefix_ = std::string(gguf_get_val_str(header_.get(), key)) + ".";
  }

  explicit operator bool() const { return !prefix_.empty(); }

  /// A whole number; of a list, one a layer, the largest.
  std::optional<std::uint64_t> number(const std::string& name) const {
    const std::int64_t key = gguf_find_key(header_.get(), (prefix_ + name).c_str());
    if (key < 0) return std::nullopt;
    gguf_type type = gguf_get_kv_type(header_.get(), key);
    std::size_t count = 1;
    const void* data = nullptr;
    if (type == GGUF_TYPE_ARRAY) {
      type = gguf_get_arr_type(header_.get(), key);
      count = gguf_get_arr_n(header_.get(), key);
      if (type != GGUF_TYPE_UINT32 && type != GGUF_TYPE_INT32) return std::nullopt;
      data = gguf_get_arr_data(header_.get(), key);
    } else if (type == GGUF_TYPE_UINT32 || type == GGUF_TYPE_INT32) {
      data = gguf_get_val_data(header_.get(), key);
    } else {
      return std::nullopt;
    }
    const auto* numbers = static_cast<const std::uint32_t*>(data);
    return count == 0 ? std::nullopt
                      : std::optional<std::uint64_t>(*std::max_element(numbers, numbers + count));
  }

 private:
  std::unique_ptr<gguf_context, FreeHeader> header_;
  std::string prefix_;
};

/// Numbers that the KV cache holds of each token.
std::uint64_t numbers_per_token(const Header& header) {
  const std::uint64_t layers = header.number("block_count").value_or(0);
  const std::uint64_t width = header.number("embedding_length").value_or(0);
  const std::uint64_t heads =
      std::max<std::uint64_t>(1, header.number("attention.head_count").value_or(1));
  const std::uint64_t kv_heads = header.number("attention.head_count_kv").value_or(heads);
  const std::uint64_t key = header.number("attention.key_length").value_or(width / heads);
  const std::uint64_t value = header.number("attention.value_length").value_or(width / heads);
  return layers * kv_heads * (key + value);
}

/// Of a model's file; of one that is split ("…-00001-of-00003.gguf"), of all its parts.
std::uint64_t bytes_of_files(const std::string& path) {
  static const std::regex part("(.*)-00001-of-([0-9]{5})\\.gguf");
  std::smatch match;
  std::error_code error;
  if (!std::regex_match(path, match, part)) return std::filesystem::file_size(path, error);
  std::uint64_t bytes = 0;
  const int count = std::stoi(match[2]);
  for (int i = 1; i <= count; ++i) {
    const std::string name = fmt::format("{}-{:05}-of-{:05}.gguf", match[1].str(), i, count);
    const std::uintmax_t size = std::filesystem::file_size(name, error);
    if (!error) bytes += size;
  }
  return bytes;
}

}  // namespace

Result<std::uint64_t> memory_needed(const LlamaOptions& options) {
  if (const auto reason = why_no_model(options.path)) {
    return Error{ErrorCode::validation, *reason};
  }
  const Header header(options.path);
  if (!header) {
    return Error{
        ErrorCode::validation,
        "model file " + options.path + " is damaged: its header cannot be read. Fetch it again."};
  }
  std::uint64_t bytes = bytes_of_files(options.path) + beside_cells;
  std::error_code error;
  if (!options.projector.empty()) {
    const std::uintmax_t size = std::filesystem::file_size(options.projector, error);
    if (!error) bytes += size;
  }
  const int trained = static_cast<int>(
      std::min<std::uint64_t>(header.number("context_length").value_or(1 << 24), 1 << 24));
  const int asked = options.context_tokens > 0 ? options.context_tokens : context_tokens_default;
  const int context = std::min(asked, trained);
  const auto cells = static_cast<std::uint64_t>(
      std::max(context, options.kv_cells > 0 ? options.kv_cells : context));
  const ggml_type type = ggml_type_of(options.kv_type);
  const std::uint64_t numbers = cells * numbers_per_token(header);
  bytes += numbers / static_cast<std::uint64_t>(ggml_blck_size(type)) * ggml_type_size(type);
  if (options.draft.empty()) return bytes;
  CRATON_TRY_ASSIGN(const std::uint64_t draft,
                    memory_needed({.path = options.draft, .context_tokens = context}));
  return bytes + draft;
}

}  // namespace craton::engines::llama
