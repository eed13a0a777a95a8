#include "models/bert_gguf.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/json.h"
#include "models/gguf_writer.h"
#include "models/safetensors.h"

namespace craton::models {
namespace {

Error refused(std::string what) {
  return {ErrorCode::validation, "the encoder cannot be converted: " + std::move(what)};
}

/// The members of a file that is a JSON object; of no file, none.
Result<json::object> members_of(std::string_view text, std::string_view file) {
  if (text.empty()) return json::object();
  Result<json::value> value = json::parse(text);
  if (!value || !value->is_object()) return refused(std::string(file) + " is no JSON object.");
  return std::move(value->get_object());
}

const json::value* find(const json::object& members, std::string_view pointer) {
  const json::value* at = nullptr;
  const json::object* in = &members;
  while (!pointer.empty()) {
    const std::string_view name = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(std::min(pointer.size(), name.size() + 1));
    at = in ? in->if_contains(name) : nullptr;
    if (!at) return nullptr;
    in = at->if_object();
  }
  return at;
}

std::string text_at(const json::object& members, std::string_view pointer) {
  const json::value* value = find(members, pointer);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool flag_at(const json::object& members, std::string_view pointer) {
  const json::value* value = find(members, pointer);
  return value && value->is_bool() && value->get_bool();
}

std::optional<std::uint32_t> number_at(const json::object& members, std::string_view pointer) {
  const json::value* value = find(members, pointer);
  if (!value || !value->is_int64()) return std::nullopt;
  const std::int64_t number = value->get_int64();
  if (number < 0 || number > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

// Numbers of config.json, by their keys in the GGUF file.
struct Size {
  std::string_view config;
  std::string_view key;
};
constexpr std::array sizes{
    Size{"max_position_embeddings", "bert.context_length"},
    Size{"hidden_size", "bert.embedding_length"},
    Size{"intermediate_size", "bert.feed_forward_length"},
    Size{"num_hidden_layers", "bert.block_count"},
    Size{"num_attention_heads", "bert.attention.head_count"},
    Size{"type_vocab_size", "tokenizer.ggml.token_type_count"},
};

// How vectors of tokens become one. Source: llama_pooling_type.
struct Pooling {
  std::string_view config;
  std::uint32_t code;
};
constexpr std::array poolings{Pooling{"pooling_mode_mean_tokens", 1},
                              Pooling{"pooling_mode_cls_token", 2},
                              Pooling{"pooling_mode_lasttoken", 3}};

// The special tokens that llama.cpp asks for, by what they are called in the vocabulary.
struct SpecialToken {
  std::string_view text;
  std::string_view key;
};
constexpr std::array special_tokens{
    SpecialToken{"[CLS]", "tokenizer.ggml.bos_token_id"},
    SpecialToken{"[SEP]", "tokenizer.ggml.eos_token_id"},
    SpecialToken{"[UNK]", "tokenizer.ggml.unknown_token_id"},
    SpecialToken{"[SEP]", "tokenizer.ggml.seperator_token_id"},  // so spelled
    SpecialToken{"[PAD]", "tokenizer.ggml.padding_token_id"},
    SpecialToken{"[MASK]", "tokenizer.ggml.mask_token_id"},
};

struct Vocabulary {
  std::vector<std::string> tokens;  ///< By id.
  std::vector<std::int32_t> types;  ///< Source: llama_token_type.
};
constexpr std::int32_t normal_token = 1;
constexpr std::int32_t control_token = 3;

/// As llama.cpp has it: a word's beginning is marked, where BERT marks what goes on.
std::string marked(std::string_view token) {
  return token.starts_with("##") ? std::string(token.substr(2))
                                 : "\xe2\x96\x81" + std::string(token);
}

Result<Vocabulary> vocabulary_of(const json::object& tokenizer) {
  const json::value* vocab = find(tokenizer, "model/vocab");
  if (text_at(tokenizer, "model/type") != "WordPiece" || !vocab || !vocab->is_object()) {
    return refused("tokenizer.json has no WordPiece vocabulary.");
  }
  const json::object& rows = vocab->get_object();
  std::vector<std::string> tokens(rows.size());
  std::vector<char> seen(rows.size());
  for (const auto& row : rows) {
    const json::value& id = row.value();
    const bool fits = id.is_int64() && id.get_int64() >= 0 &&
                      static_cast<std::uint64_t>(id.get_int64()) < rows.size();
    if (!fits || std::exchange(seen[static_cast<std::size_t>(id.get_int64())], 1)) {
      return refused("tokenizer.json's ids are not 0 to the number of its tokens.");
    }
    tokens[static_cast<std::size_t>(id.get_int64())] = row.key();
  }
  Vocabulary vocabulary{std::move(tokens), std::vector<std::int32_t>(rows.size(), normal_token)};
  for (std::size_t id = 0; id < rows.size(); ++id) {
    std::string& token = vocabulary.tokens[id];
    if (std::ranges::find(special_tokens, token, &SpecialToken::text) != special_tokens.end()) {
      vocabulary.types[id] = control_token;
    } else {
      token = marked(token);
    }
  }
  return vocabulary;
}

// Where a tensor of BERT's goes; `{}` is a layer's number.
struct TensorRow {
  std::string_view from;
  std::string_view to;
};
constexpr std::array tensors_of_model{
    TensorRow{"embeddings.word_embeddings", "token_embd"},
    TensorRow{"embeddings.position_embeddings", "position_embd"},
    TensorRow{"embeddings.token_type_embeddings", "token_types"},
    TensorRow{"embeddings.LayerNorm", "token_embd_norm"},
};
constexpr std::array tensors_of_layer{
    TensorRow{"attention.self.query", "attn_q"},
    TensorRow{"attention.self.key", "attn_k"},
    TensorRow{"attention.self.value", "attn_v"},
    TensorRow{"attention.output.dense", "attn_output"},
    TensorRow{"attention.output.LayerNorm", "attn_output_norm"},
    TensorRow{"intermediate.dense", "ffn_up"},
    TensorRow{"output.dense", "ffn_down"},
    TensorRow{"output.LayerNorm", "layer_output_norm"},
};
// What else such files hold; an encoder has no use for it.
constexpr std::array<std::string_view, 2> unused{"embeddings.position_ids", "pooler."};

/// The GGUF name of a tensor; empty for one that is left out, nothing for one that is not known.
std::optional<std::string> gguf_name(std::string_view name) {
  if (name.starts_with("bert.")) name.remove_prefix(5);
  for (const std::string_view each : unused) {
    if (name.starts_with(each)) return std::string();
  }
  const std::size_t dot = name.rfind('.');
  if (dot == name.npos) return std::nullopt;
  const std::string_view kind = name.substr(dot);  // ".weight"
  if (kind != ".weight" && kind != ".bias") return std::nullopt;
  std::string_view place = name.substr(0, dot);
  std::string prefix;
  constexpr std::string_view layers = "encoder.layer.";
  std::span<const TensorRow> rows = tensors_of_model;
  if (place.starts_with(layers)) {
    place.remove_prefix(layers.size());
    const std::string_view number = place.substr(0, place.find('.'));
    place.remove_prefix(std::min(place.size(), number.size() + 1));
    prefix = "blk." + std::string(number) + ".";
    rows = tensors_of_layer;
  }
  const auto row = std::ranges::find(rows, place, &TensorRow::from);
  if (row == rows.end()) return std::nullopt;
  return prefix + std::string(row->to) + std::string(kind);
}

std::string halves(std::string_view floats) {
  std::string out(floats.size() / 2, '\0');
  for (std::size_t i = 0; i < out.size() / 2; ++i) {
    float number = 0;
    std::memcpy(&number, floats.data() + 4 * i, sizeof number);
    const std::uint16_t half = half_of(number);
    std::memcpy(out.data() + 2 * i, &half, sizeof half);
  }
  return out;
}

bool stays_single(std::string_view name, const Tensor& tensor) {
  return tensor.shape.size() < 2 || name.starts_with("position_embd") ||
         name.starts_with("token_types");
}

Result<void> add_tensor(const Tensor& tensor, GgufWriter& writer) {
  const std::optional<std::string> name = gguf_name(tensor.name);
  if (!name) return refused("what is the tensor " + tensor.name.substr(0, 128) + "?");
  if (name->empty()) return {};
  if (tensor.type != "F32") return refused("weights in " + tensor.type + "; F32 is expected.");
  if (tensor.shape.empty() || tensor.shape.size() > 2) {
    return refused("the tensor " + tensor.name.substr(0, 128) + " is no vector and no matrix.");
  }
  std::vector<std::uint64_t> shape(tensor.shape.rbegin(), tensor.shape.rend());
  const std::string_view bytes = tensor.bytes;
  if (stays_single(*name, tensor)) {
    writer.add(*name, GgufType::f32, std::move(shape), [bytes] { return std::string(bytes); });
  } else {
    writer.add(*name, GgufType::f16, std::move(shape), [bytes] { return halves(bytes); });
  }
  return {};
}

Result<void> set_config(const SentenceTransformer& files, GgufWriter& writer) {
  CRATON_TRY_ASSIGN(const json::object config, members_of(files.config, "config.json"));
  if (text_at(config, "model_type") != "bert" || text_at(config, "hidden_act") != "gelu") {
    return refused("config.json is of no BERT with GELU.");
  }
  for (const Size& size : sizes) {
    const auto number = number_at(config, size.config);
    if (!number) return refused("config.json lacks " + std::string(size.config) + ".");
    writer.set(size.key, *number);
  }
  const json::value* epsilon = find(config, "layer_norm_eps");
  if (!epsilon || !epsilon->is_number()) return refused("config.json lacks layer_norm_eps.");
  writer.set("bert.attention.layer_norm_epsilon", static_cast<float>(epsilon->to_number<double>()));
  writer.set("bert.attention.causal", false);
  return {};
}

Result<void> set_pooling(const SentenceTransformer& files, GgufWriter& writer) {
  CRATON_TRY_ASSIGN(const json::object pooling, members_of(files.pooling, "1_Pooling/config.json"));
  const auto row = std::ranges::find_if(
      poolings, [&](const Pooling& each) { return flag_at(pooling, each.config); });
  if (row == poolings.end()) return refused("its pooling is none of mean, CLS and last token.");
  writer.set("bert.pooling_type", row->code);
  return {};
}

/// What sentence-transformers does beside the model itself.
Result<void> set_use(const SentenceTransformer& files, GgufWriter& writer) {
  CRATON_TRY_ASSIGN(const json::object sequence,
                    members_of(files.sequence, "sentence_bert_config.json"));
  if (const auto tokens = number_at(sequence, "max_seq_length"); tokens && *tokens > 0) {
    writer.set("craton.sequence_tokens", *tokens);
  }
  CRATON_TRY_ASSIGN(const json::object prompts,
                    members_of(files.prompts, "config_sentence_transformers.json"));
  for (const std::string_view role : {"query", "document"}) {
    const std::string prompt = text_at(prompts, "prompts/" + std::string(role));
    if (!prompt.empty()) {
      writer.set("craton.prompt." + std::string(role), std::string_view(prompt));
    }
  }
  return {};
}

Result<void> set_tokenizer(const SentenceTransformer& files, GgufWriter& writer) {
  CRATON_TRY_ASSIGN(const json::object tokenizer, members_of(files.tokenizer, "tokenizer.json"));
  CRATON_TRY_ASSIGN(const Vocabulary vocabulary, vocabulary_of(tokenizer));
  writer.set("tokenizer.ggml.model", std::string_view("bert"));
  writer.set("tokenizer.ggml.pre", std::string_view("default"));
  writer.set("tokenizer.ggml.tokens", std::span<const std::string>(vocabulary.tokens));
  writer.set("tokenizer.ggml.token_type", std::span<const std::int32_t>(vocabulary.types));
  for (const SpecialToken& row : special_tokens) {
    const auto at = std::ranges::find(vocabulary.tokens, row.text);
    if (at == vocabulary.tokens.end()) {
      return refused("tokenizer.json has no " + std::string(row.text) + ".");
    }
    writer.set(row.key, static_cast<std::uint32_t>(at - vocabulary.tokens.begin()));
  }
  const json::value* lower = find(tokenizer, "normalizer/lowercase");
  writer.set("tokenizer.ggml.normalizer.lowercase",
             !lower || !lower->is_bool() || lower->get_bool());
  return {};
}

}  // namespace

Result<void> write_bert_gguf(const SentenceTransformer& files, const ModelTitle& title,
                             const std::function<Result<void>(std::string_view piece)>& put) {
  GgufWriter writer;
  writer.set("general.architecture", std::string_view("bert"));
  writer.set("general.type", std::string_view("model"));
  writer.set("general.name", std::string_view(title.name));
  writer.set("general.license", std::string_view(title.license));
  writer.set("general.file_type", std::uint32_t{1});  // mostly F16
  CRATON_TRY(set_config(files, writer));
  CRATON_TRY(set_pooling(files, writer));
  CRATON_TRY(set_use(files, writer));
  CRATON_TRY(set_tokenizer(files, writer));
  CRATON_TRY_ASSIGN(const std::vector<Tensor> tensors, read_safetensors(files.weights));
  for (const Tensor& tensor : tensors) CRATON_TRY(add_tensor(tensor, writer));
  return writer.write(put);
}

}  // namespace craton::models
