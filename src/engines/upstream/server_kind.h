// What the programs that speak OpenAI's API take beyond it. They tell who they are in the member
// `owned_by` of `/v1/models`.
//
// Source: the request models of vLLM (vllm/entrypoints/openai), SGLang (python/sglang/srt/
// entrypoints/openai), llama.cpp (tools/server) and Ollama (openai/openai.go).
#pragma once

#include <array>
#include <string_view>

namespace craton::engines::upstream {

struct ServerKind {
  std::string_view name;
  std::string_view owned_by;
  bool template_arguments = false;  ///< `chat_template_kwargs`, by which thinking is switched.
  bool continues = false;           ///< `continue_final_message`
  bool repeats_begun = false;       ///< An answer that goes on begins with what it goes on from.
  bool truncates = false;           ///< `truncate_prompt_tokens` of embeddings
  bool counts_chats = false;        ///< `/tokenize` of messages, which tells `count`.
  bool applies_template = false;    ///< `/apply-template`, and `/tokenize` of a `content`.
  bool ranks_by_logits = false;     ///< Scores of `/v1/rerank` are logits, not probabilities.
  std::string_view ignores = {};    ///< Of what is sent, what it leaves out without a word.
};

inline constexpr std::array server_kinds{
    ServerKind{.name = "vllm",
               .owned_by = "vllm",
               .template_arguments = true,
               .continues = true,
               .truncates = true,
               .counts_chats = true},
    ServerKind{
        .name = "sglang", .owned_by = "sglang", .template_arguments = true, .continues = true},
    ServerKind{.name = "llama-server",
               .owned_by = "llamacpp",
               .template_arguments = true,
               .repeats_begun = true,
               .applies_template = true,
               .ranks_by_logits = true},
    ServerKind{.name = "ollama", .owned_by = "library", .ignores = "top_k, tool_choice"},
};
/// Any other: what OpenAI's API has, and `top_k`, which such a server takes or refuses.
inline constexpr ServerKind unknown_server{.name = "openai", .owned_by = ""};

constexpr const ServerKind& server_kind_of(std::string_view owned_by) {
  for (const ServerKind& kind : server_kinds) {
    if (kind.owned_by == owned_by) return kind;
  }
  return unknown_server;
}

/// By its own name; null when there is none.
constexpr const ServerKind* find_server_kind(std::string_view name) {
  for (const ServerKind& kind : server_kinds) {
    if (kind.name == name) return &kind;
  }
  return name == unknown_server.name ? &unknown_server : nullptr;
}

}  // namespace craton::engines::upstream
