// The record of one model call, as Bedrock's invocation logging writes it.
//
//   {"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":…,"accountId":…,
//    "identity":{"arn":…},"region":…,"requestId":…,"operation":"Converse","modelId":…,
//    "input":{"inputContentType":…,"inputBodyJson":{…},"inputTokenCount":16},
//    "output":{"outputContentType":…,"outputBodyJson":{…},"outputTokenCount":80}}
//
// Of InvokeModelWithResponseStream `outputBodyJson` is the array of the native chunks; of
// ConverseStream it is the answer that Converse would have given.
// Source: the Bedrock User Guide's page on model invocation logging, and records of it.
//
// No I/O: any function may be called from any thread.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "service/interaction.h"

namespace craton::service {

/// Bodies of more bytes are objects of their own, which the record names.
inline constexpr std::size_t logged_body_max = 100 * 1024;

/// Which data records may hold.
struct LoggedData {
  bool text = true;
  bool image = true;
  bool embedding = true;
  bool video = true;
  bool audio = true;
};

struct InvocationRecord {
  std::string json;
  struct Large {
    std::string key;
    std::string body;
  };
  std::vector<Large> large;  ///< What goes to objects of their own.
};

/// True for the operations that are logged.
bool is_logged(std::string_view operation);

/// "us-east-1/2026/11/26/09" behind "AWSLogs/…/BedrockModelInvocationLogs/", and the prefix before.
std::string log_folder(std::string_view key_prefix, const Interaction& interaction);

/// `bucket`: whose objects large bodies are.
InvocationRecord record_of(const Interaction& interaction, const LoggedData& data,
                           std::string_view bucket, std::string_view key_prefix);

}  // namespace craton::service
