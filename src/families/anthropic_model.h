// What Anthropic's families share: names and versions, read from Bedrock's model ids.
//
// No I/O.
#pragma once

#include <string>
#include <string_view>

#include "conversation/event.h"

namespace craton::families {

/// Anthropic's own name of a model: "claude-3-haiku-20240307" for
/// "anthropic.claude-3-haiku-20240307-v1:0", whatever its context suffix.
std::string anthropic_name(std::string_view model_id);

/// Claude 2, Instant and older: prompts, and messages numbered as completions.
bool is_completion_claude(std::string_view model_id);

/// Claude 3.5 Haiku, 3.7 and later: replies count what was read from and written to the cache.
bool counts_cached_tokens(std::string_view model_id);

/// Claude 4.5 and later: they also say for how long it was written.
bool splits_cached_tokens(std::string_view model_id);

/// Claude 4.5 and later refuse `temperature` beside `top_p`.
bool takes_one_of_temperature_and_top_p(std::string_view model_id);

/// Claude 3 and later: tools, images, documents.
bool takes_tools(std::string_view model_id);

/// Claude 4 and later: Bedrock limits the size of their PDF documents by the request's alone.
bool reads_large_documents(std::string_view model_id);

/// Claude 3.7 and later think before they answer where they are asked to. The same ones can be
/// offered tools and told to call none.
bool thinks(std::string_view model_id);

/// Claude 4.6 and later decide by themselves how long to think.
bool thinks_adaptively(std::string_view model_id);

/// Claude 4.5 and later tell an answer that filled the context from one of as many tokens as were
/// asked for.
bool tells_full_context(std::string_view model_id);

/// Claude 4.5 and later: answers in a format, and with an effort, that the caller chooses.
bool takes_output_config(std::string_view model_id);

Error anthropic_too_long(const InputTooLong& measured);

}  // namespace craton::families
