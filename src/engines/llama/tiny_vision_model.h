// Language models and projectors of random weights, small enough to be made by a test. What they
// say means nothing; where things stand, how many there are, and what depends on what can be seen
// even so. For tests only.
#pragma once

#include <ggml.h>
#include <gguf.h>

#include <array>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace craton::engines::llama {

/// A GGUF file of random tensors.
class RandomModel {
 public:
  explicit RandomModel(const char* architecture)
      : memory_(ggml_init({.mem_size = 64u << 20, .mem_buffer = nullptr, .no_alloc = false})),
        file_(gguf_init_empty()) {
    gguf_set_val_str(file_.get(), "general.architecture", architecture);
  }

  RandomModel& number(const std::string& key, std::uint32_t value) {
    gguf_set_val_u32(file_.get(), key.c_str(), value);
    return *this;
  }
  RandomModel& real(const std::string& key, float value) {
    gguf_set_val_f32(file_.get(), key.c_str(), value);
    return *this;
  }
  RandomModel& flag(const std::string& key) {
    gguf_set_val_bool(file_.get(), key.c_str(), true);
    return *this;
  }
  RandomModel& text(const std::string& key, const std::string& value) {
    gguf_set_val_str(file_.get(), key.c_str(), value.c_str());
    return *this;
  }
  RandomModel& reals(const std::string& key, const std::vector<float>& values) {
    gguf_set_arr_data(file_.get(), key.c_str(), GGUF_TYPE_FLOAT32, values.data(), values.size());
    return *this;
  }
  RandomModel& integers(const std::string& key, const std::vector<std::int32_t>& values) {
    gguf_set_arr_data(file_.get(), key.c_str(), GGUF_TYPE_INT32, values.data(), values.size());
    return *this;
  }
  RandomModel& texts(const std::string& key, const std::vector<std::string>& values) {
    std::vector<const char*> pointers;
    for (const std::string& value : values) pointers.push_back(value.c_str());
    gguf_set_arr_str(file_.get(), key.c_str(), pointers.data(), pointers.size());
    return *this;
  }
  RandomModel& tensor(const std::string& name, std::initializer_list<std::int64_t> sizes) {
    ggml_tensor* made = ggml_new_tensor(memory_.get(), GGML_TYPE_F32,
                                        static_cast<int>(sizes.size()), std::data(sizes));
    ggml_set_name(made, name.c_str());
    auto* values = static_cast<float*>(made->data);
    for (std::int64_t i = 0; i < ggml_nelements(made); ++i) values[i] = normal_(random_);
    gguf_add_tensor(file_.get(), made);
    return *this;
  }

  void write(const std::filesystem::path& path) const {
    if (!gguf_write_to_file(file_.get(), path.c_str(), false))
      throw std::runtime_error("cannot write " + path.string());
  }

 private:
  struct FreeMemory {
    void operator()(ggml_context* context) const { ggml_free(context); }
  };
  struct FreeFile {
    void operator()(gguf_context* context) const { gguf_free(context); }
  };

  std::unique_ptr<ggml_context, FreeMemory> memory_;
  std::unique_ptr<gguf_context, FreeFile> file_;
  std::minstd_rand random_{7};
  std::normal_distribution<float> normal_{0, 0.3F};
};

inline constexpr std::int64_t tiny_width = 32;  ///< Of the language models' embeddings.

/// GPT-2's letters for the 256 bytes, then "ab" so that there is something to merge, an end, and
/// `more`.
inline std::vector<std::string> byte_vocabulary(const std::vector<std::string>& more) {
  std::vector<std::string> tokens;
  int others = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
    const int code = printable ? byte : 256 + others++;
    std::string text;
    if (code < 0x80) {
      text = static_cast<char>(code);
    } else {
      text = {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
    }
    tokens.push_back(text);
  }
  tokens.push_back("ab");
  tokens.push_back("<|end|>");
  tokens.insert(tokens.end(), more.begin(), more.end());
  return tokens;
}

/// A language model of one layer. `architecture`: "llama", or "qwen2vl" for M-RoPE. `markers` are
/// control tokens of it.
inline void write_tiny_language_model(const std::filesystem::path& path,
                                      const std::string& architecture,
                                      const std::vector<std::string>& markers = {}) {
  const std::vector<std::string> tokens = byte_vocabulary(markers);
  std::vector<std::int32_t> types(tokens.size(), 1);              // normal
  for (std::size_t i = 257; i < types.size(); ++i) types[i] = 3;  // control
  const auto vocabulary = static_cast<std::int64_t>(tokens.size());
  constexpr std::int64_t n = tiny_width;
  constexpr std::int64_t ff = 48;
  RandomModel model(architecture.c_str());
  const auto key = [&](const char* name) { return architecture + "." + name; };
  model.number(key("context_length"), 2048).number(key("embedding_length"), n);
  model.number(key("block_count"), 1).number(key("feed_forward_length"), ff);
  model.number(key("attention.head_count"), 2);
  model.real(key("attention.layer_norm_rms_epsilon"), 1e-5F);
  if (architecture == "qwen2vl") model.integers(key("rope.dimension_sections"), {2, 3, 3, 0});
  model.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", "default");
  model.texts("tokenizer.ggml.tokens", tokens).integers("tokenizer.ggml.token_type", types);
  model.texts("tokenizer.ggml.merges", {"a b"}).number("tokenizer.ggml.eos_token_id", 257);
  model.tensor("token_embd.weight", {n, vocabulary}).tensor("output_norm.weight", {n});
  model.tensor("blk.0.attn_norm.weight", {n}).tensor("blk.0.ffn_norm.weight", {n});
  for (const char* part : {"q", "k", "v"}) {
    model.tensor("blk.0.attn_" + std::string(part) + ".weight", {n, n});
    if (architecture == "qwen2vl") model.tensor("blk.0.attn_" + std::string(part) + ".bias", {n});
  }
  model.tensor("blk.0.attn_output.weight", {n, n});
  model.tensor("blk.0.ffn_gate.weight", {n, ff}).tensor("blk.0.ffn_up.weight", {n, ff});
  model.tensor("blk.0.ffn_down.weight", {ff, n}).write(path);
}

/// A projector that gives embeddings of `width`. `kind`: what tells mtmd how to use it:
///
///   gemma3          images of 32 × 32 pixels: 4 embeddings that must be seen at once
///   pixtral         an embedding for 8 × 8 pixels, and one between rows; as many as the image has
///   qwen2vl_merger  an embedding for 16 × 16 pixels, with M-RoPE
///   idefics3        tiles of 32 × 32 pixels with tokens between
inline void write_tiny_projector(const std::filesystem::path& path, const std::string& kind,
                                 std::int64_t width = tiny_width) {
  constexpr std::int64_t n = 32;
  constexpr std::int64_t ff = 48;
  constexpr std::int64_t patch = 8;
  RandomModel model("clip");
  model.flag("clip.has_vision_encoder").flag("clip.use_gelu");
  model.text("clip.projector_type", kind);
  const auto key = [](const char* name) { return std::string("clip.vision.") + name; };
  model.number(key("image_size"), 32).number(key("patch_size"), patch);
  model.number(key("embedding_length"), n).number(key("feed_forward_length"), ff);
  model.number(key("block_count"), 1).number(key("projection_dim"), static_cast<unsigned>(width));
  model.number(key("attention.head_count"), 2);
  model.real(key("attention.layer_norm_epsilon"), 1e-5F);
  model.reals(key("image_mean"), {0.5F, 0.5F, 0.5F}).reals(key("image_std"), {0.5F, 0.5F, 0.5F});
  model.number(key("projector.scale_factor"), 2).number(key("preproc_image_size"), 128);
  model.tensor("v.patch_embd.weight", {patch, patch, 3, n});
  for (const char* part : {"attn_q", "attn_k", "attn_v", "attn_out"}) {
    model.tensor("v.blk.0." + std::string(part) + ".weight", {n, n});
    model.tensor("v.blk.0." + std::string(part) + ".bias", {n});
  }
  model.tensor("v.blk.0.ln1.weight", {n}).tensor("v.blk.0.ln1.bias", {n});
  model.tensor("v.blk.0.ln2.weight", {n}).tensor("v.blk.0.ln2.bias", {n});
  model.tensor("v.blk.0.ffn_up.weight", {n, ff}).tensor("v.blk.0.ffn_down.weight", {ff, n});
  model.tensor("v.post_ln.weight", {n}).tensor("v.post_ln.bias", {n});
  if (kind == "gemma3" || kind == "idefics3") model.tensor("v.position_embd.weight", {n, 16});
  if (kind == "gemma3") {
    model.tensor("mm.input_projection.weight", {width, n}).tensor("mm.soft_emb_norm.weight", {n});
  } else if (kind == "idefics3") {
    model.tensor("mm.model.fc.weight", {4 * n, width});
  } else if (kind == "pixtral") {
    model.tensor("mm.1.weight", {n, ff}).tensor("mm.2.weight", {ff, width});
    model.tensor("v.token_embd.img_break", {width});
  } else {
    model.tensor("v.patch_embd.weight.1", {patch, patch, 3, n});
    model.tensor("mm.0.weight", {4 * n, 4 * n}).tensor("mm.0.bias", {4 * n});
    model.tensor("mm.2.weight", {4 * n, width}).tensor("mm.2.bias", {width});
  }
  model.write(path);
}

}  // namespace craton::engines::llama
