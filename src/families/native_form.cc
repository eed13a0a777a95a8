#include "families/native_form.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/glob.h"
#include "base/json.h"

namespace craton::families {
namespace {

// The first that fits.
constexpr NativeForm text_forms[] = {
    {"*anthropic.claude-v*",
     R"({"prompt":"\n\nHuman: {{text}}\n\nAssistant:","max_tokens_to_sample":{{max_tokens}}})",
     "/completion", "/completion"},
    {"*anthropic.claude-instant-*",
     R"({"prompt":"\n\nHuman: {{text}}\n\nAssistant:","max_tokens_to_sample":{{max_tokens}}})",
     "/completion", "/completion"},
    {"*anthropic.*",
     R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":{{max_tokens}},)"
     R"("messages":[{"role":"user","content":[{"type":"text","text":"{{text}}"}]}]})",
     "/content/0/text", "/delta/text"},
    {"*amazon.titan-t*",
     R"({"inputText":"{{text}}","textGenerationConfig":{"maxTokenCount":{{max_tokens}}}})",
     "/results/0/outputText", "/outputText"},
    {"*amazon.nova-*",
     R"({"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text":"{{text}}"}]}],)"
     R"("inferenceConfig":{"maxTokens":{{max_tokens}}}})",
     "/output/message/content/0/text", "/contentBlockDelta/delta/text"},
    {"*meta.llama2-*", R"({"prompt":"<s>[INST] {{text}} [/INST]","max_gen_len":{{max_tokens}}})",
     "/generation", "/generation"},
    {"*meta.llama3-*",
     R"({"prompt":"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{{text}}<|eot_id|>)"
     R"(<|start_header_id|>assistant<|end_header_id|>\n\n","max_gen_len":{{max_tokens}}})",
     "/generation", "/generation"},
    {"*meta.llama*",
     R"({"prompt":"<|begin_of_text|><|header_start|>user<|header_end|>\n\n{{text}}<|eot|>)"
     R"(<|header_start|>assistant<|header_end|>\n\n","max_gen_len":{{max_tokens}}})",
     "/generation", "/generation"},
    {"*mistral.mistral-7b-*",
     R"({"prompt":"<s>[INST] {{text}} [/INST]","max_tokens":{{max_tokens}}})", "/outputs/0/text",
     "/outputs/0/text"},
    {"*mistral.mixtral-*", R"({"prompt":"<s>[INST] {{text}} [/INST]","max_tokens":{{max_tokens}}})",
     "/outputs/0/text", "/outputs/0/text"},
    {"*mistral.mistral-*-2402-*",
     R"({"prompt":"<s>[INST] {{text}} [/INST]","max_tokens":{{max_tokens}}})", "/outputs/0/text",
     "/outputs/0/text"},
    {"*cohere.command-r-*", R"({"message":"{{text}}","max_tokens":{{max_tokens}}})", "/text",
     "/text"},
    {"*cohere.command-*", R"({"prompt":"{{text}}","max_tokens":{{max_tokens}}})",
     "/generations/0/text", "/generations/0/text"},
    {"*ai21.j2-*", R"({"prompt":"{{text}}","maxTokens":{{max_tokens}}})",
     "/completions/0/data/text"},
    {"*deepseek.r1-*",
     R"({"prompt":"<｜begin▁of▁sentence｜><｜User｜>{{text}}<｜Assistant｜><think>\n",)"
     R"("max_tokens":{{max_tokens}}})",
     "/choices/0/text", "/choices/0/text"},
    {"*", R"({"messages":[{"role":"user","content":"{{text}}"}],"max_tokens":{{max_tokens}}})",
     "/choices/0/message/content", "/choices/0/delta/content"},
};

constexpr NativeForm vector_forms[] = {
    {"*amazon.titan-embed-*", R"({"inputText":"{{text}}"})", "/embedding"},
    {"*cohere.embed-*", R"({"texts":["{{text}}"],"input_type":"search_document"})",
     "/embeddings/0"},
    {"*amazon.nova-2-multimodal-embeddings-*",
     R"({"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":"GENERIC_INDEX",)"
     R"("embeddingDimension":1024,"text":{"truncationMode":"END","value":"{{text}}"}}})",
     "/embeddings/0/embedding"},
};

constexpr std::string_view amazon_image =
    R"({"taskType":"TEXT_IMAGE","textToImageParams":{"text":"{{text}}"},"imageGenerationConfig":)"
    R"({"numberOfImages":{{count}},"width":{{width}},"height":{{height}},"seed":{{seed}}}})";
constexpr NativeForm image_forms[] = {
    {"*amazon.titan-image-generator-*", amazon_image, "/images"},
    {"*amazon.nova-canvas-*", amazon_image, "/images"},
    {"*stability.stable-diffusion-xl*",
     R"({"text_prompts":[{"text":"{{text}}"}],"width":{{width}},"height":{{height}},"seed":{{seed}}})",
     "/artifacts"},
    {"*stability.s*", R"({"prompt":"{{text}}","seed":{{seed}},"output_format":"png"})", "/images"},
};

const NativeForm* form_of(std::span<const NativeForm> forms, std::string_view model_id) {
  const auto form = std::ranges::find_if(
      forms, [&](const NativeForm& one) { return glob_matches(one.id_pattern, model_id); });
  return form == forms.end() ? nullptr : &*form;
}

}  // namespace

const NativeForm& text_form_of(std::string_view model_id) { return *form_of(text_forms, model_id); }

const NativeForm* vector_form_of(std::string_view model_id) {
  return form_of(vector_forms, model_id);
}

const NativeForm* image_form_of(std::string_view model_id) {
  return form_of(image_forms, model_id);
}

std::string native_body(const NativeForm& form, const FormValues& values) {
  const std::string quoted = json::quote(values.text);
  const std::array<std::pair<std::string_view, std::string>, 6> gaps{{
      {"text", quoted.substr(1, quoted.size() - 2)},
      {"max_tokens", std::to_string(values.max_tokens)},
      {"width", std::to_string(values.width)},
      {"height", std::to_string(values.height)},
      {"seed", std::to_string(values.seed)},
      {"count", std::to_string(values.count)},
  }};
  std::string body;
  std::string_view rest = form.body;
  while (true) {
    const std::size_t open = rest.find("{{");
    const std::size_t close = rest.find("}}", open);
    if (open == rest.npos || close == rest.npos) return body += rest;
    const std::string_view name = rest.substr(open + 2, close - open - 2);
    const auto gap =
        std::ranges::find(gaps, name, &std::pair<std::string_view, std::string>::first);
    if (gap == gaps.end()) {  // two brackets of JSON
      body += rest.substr(0, open + 1);
      rest.remove_prefix(open + 1);
      continue;
    }
    body += rest.substr(0, open);
    body += gap->second;
    rest.remove_prefix(close + 2);
  }
}

}  // namespace craton::families
