// Identifiers as Bedrock makes them.
//
// Each thread has its own generator, seeded from the operating system. Not for secrets.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace craton {

/// A version 4 UUID: `x-amzn-RequestId`, Cohere's generation ids.
std::string random_uuid();

/// `prefix` followed by "01" and 22 base58 characters, as Anthropic numbers its messages on Bedrock
/// (`msg_bdrk_01…`, `compl_01…`).
std::string random_anthropic_id(std::string_view prefix);

/// `length` letters and digits of ASCII, as OpenAI and Mistral number calls of tools.
std::string random_alphanumeric(std::size_t length);

}  // namespace craton
