#include "service/invocation_record.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <utility>

#include "base/dates.h"
#include "families/embedding_family.h"
#include "families/image_family.h"
#include "service/merged_stream.h"
#include "service/stream_events.h"

namespace craton::service {
namespace {

constexpr std::array<std::string_view, 4> logged_operations{
    "Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"};

/// A modality's blocks: {"image":{…}} in Converse and Nova, {"type":"image",…} in others.
struct Modality {
  std::string_view name;
  bool LoggedData::* wanted;
};
constexpr std::array modalities{Modality{"image", &LoggedData::image},
                                Modality{"video", &LoggedData::video},
                                Modality{"audio", &LoggedData::audio}};

bool is_left_out(const json::value& block, const LoggedData& data) {
  const json::object* members = block.if_object();
  if (!members) return false;
  const json::value* type = members->if_contains("type");
  return std::ranges::any_of(modalities, [&](const Modality& modality) {
    if (data.*modality.wanted) return false;
    return members->contains(modality.name) ||
           (type && type->is_string() &&
            std::string_view(type->get_string()).starts_with(modality.name));
  });
}

// Members of the native bodies of models that embed or make images: a picture in base64, a list of
// such, or an object with its source.
constexpr std::array<std::string_view, 10> picture_members{
    "image",     "images",      "inputImage",     "init_image",     "mask_image",
    "maskImage", "sourceImage", "referenceImage", "conditionImage", "image_url"};

bool is_picture_member(std::string_view name, const json::value& value) {
  if (std::ranges::find(picture_members, name) == picture_members.end()) return false;
  const json::array* items = value.if_array();
  return value.is_string() || value.is_object() ||
         (items && std::ranges::all_of(*items, [](const auto& item) { return item.is_string(); }));
}

/// Takes the pictures out of a native body.
void leave_pictures_out(json::value& value) {
  if (json::array* items = value.if_array()) {
    for (json::value& item : *items) leave_pictures_out(item);
  }
  json::object* members = value.if_object();
  for (auto member = members ? members->begin() : nullptr; members && member != members->end();) {
    if (is_picture_member(member->key(), member->value())) {
      member = members->stable_erase(member);
    } else {
      leave_pictures_out(member++->value());
    }
  }
}

/// Takes blocks of data that is not wanted out of the lists that hold them.
void leave_out(json::value& value, const LoggedData& data) {
  if (json::object* members = value.if_object()) {
    for (auto& member : *members) leave_out(member.value(), data);
  } else if (json::array* items = value.if_array()) {
    for (auto item = items->begin(); item != items->end();) {
      if (is_left_out(*item, data)) {
        item = items->erase(item);
      } else {
        leave_out(*item++, data);
      }
    }
  }
}

/// Not what embeds or draws.
bool converses(std::string_view model) {
  return !families::embedding_family_of(model) && !families::image_family_of(model);
}

/// Whether what the model makes may be logged.
bool output_wanted(std::string_view model, const LoggedData& data) {
  if (families::embedding_family_of(model)) return data.embedding;
  if (families::image_family_of(model)) return data.image;
  return data.text;
}

std::optional<json::value> parsed(std::string_view text) {
  Result<json::value> value = json::parse(text);
  if (!value) return std::nullopt;
  return std::move(*value);
}

std::optional<json::value> output_of(const Interaction& interaction) {
  if (!interaction.streamed) {
    return interaction.body ? parsed(*interaction.body) : std::nullopt;
  }
  const std::vector<StreamEvent> events = stream_events(interaction);
  if (interaction.account->operation == "ConverseStream") return merged_converse(events);
  json::array chunks;
  for (const StreamEvent& event : events) {
    if (event.exception) continue;
    if (auto chunk = parsed(event.text)) chunks.push_back(std::move(*chunk));
  }
  return json::value(std::move(chunks));
}

/// One of the two bodies and what stands beside it.
class Side {
 public:
  Side(std::string name, std::string folder, std::string_view bucket)
      : name_(std::move(name)), folder_(std::move(folder)), bucket_(bucket) {}

  json::object members;

  void add_body(json::value body, const Interaction& interaction, InvocationRecord& record) {
    std::string text = json::to_text(body);
    if (text.size() <= logged_body_max) {
      members[name_ + "BodyJson"] = std::move(body);
      return;
    }
    std::string key = folder_ + "/data/" + interaction.request_id + "_" + name_ + ".json.gz";
    members[name_ + "BodyS3Path"] = "s3://" + std::string(bucket_) + "/" + key;
    record.large.push_back({std::move(key), std::move(text)});
  }

 private:
  const std::string name_;
  const std::string folder_;
  const std::string_view bucket_;
};

std::string arn_of(const Account& account) {
  const std::string head = "arn:aws:iam::" + std::string(catalog::default_account) + ":";
  return account.caller.identity ? head + "user/" + account.caller.identity->name : head + "root";
}

void add_count(json::object& members, std::string_view name, std::optional<int> tokens) {
  if (tokens) members[name] = *tokens;
}

}  // namespace

bool is_logged(std::string_view operation) {
  return std::ranges::find(logged_operations, operation) != logged_operations.end();
}

std::string log_folder(std::string_view key_prefix, const Interaction& interaction) {
  std::string folder(key_prefix);
  if (!folder.empty() && folder.back() != '/') folder += '/';
  folder += "AWSLogs/" + std::string(catalog::default_account) + "/BedrockModelInvocationLogs/" +
            interaction.account->region + "/";
  return folder + date_text(interaction.began, "%Y/%m/%d/%H");
}

InvocationRecord record_of(const Interaction& interaction, const LoggedData& data,
                           std::string_view bucket, std::string_view key_prefix) {
  const Account& account = *interaction.account;
  const std::string folder = log_folder(key_prefix, interaction);
  InvocationRecord record;
  Side input("input", folder, bucket);
  Side output("output", folder, bucket);
  std::optional<json::value> asked = parsed(interaction.request.body);
  std::optional<json::value> metadata;
  if (json::object* members = asked ? asked->if_object() : nullptr) {
    if (const auto* told = members->if_contains("requestMetadata")) metadata = *told;
  }
  input.members["inputContentType"] = "application/json";
  if (asked && data.text) {
    leave_out(*asked, data);
    if (!data.image && !converses(account.request_model)) leave_pictures_out(*asked);
    input.add_body(std::move(*asked), interaction, record);
  }
  add_count(input.members, "inputTokenCount", account.input_tokens);
  const bool answered = interaction.status == 200;
  if (answered) {
    const bool file = !interaction.streamed && interaction.content_type.starts_with("image/");
    output.members["outputContentType"] = file ? interaction.content_type : "application/json";
    std::optional<json::value> body;
    if (output_wanted(account.request_model, data)) body = output_of(interaction);
    if (body) output.add_body(std::move(*body), interaction, record);
    add_count(output.members, "outputTokenCount", account.output_tokens);
  }
  json::object whole{{"schemaType", "ModelInvocationLog"},
                     {"schemaVersion", "1.0"},
                     {"timestamp", date_text(interaction.began)},
                     {"accountId", catalog::default_account},
                     {"identity", {{"arn", arn_of(account)}}},
                     {"region", account.region},
                     {"requestId", interaction.request_id},
                     {"operation", account.operation},
                     {"modelId", account.model_id}};
  if (metadata) whole["requestMetadata"] = std::move(*metadata);
  if (!interaction.error.empty() && interaction.error != caller_left) {
    whole["errorCode"] = interaction.error;
  }
  whole["input"] = std::move(input.members);
  if (answered) whole["output"] = std::move(output.members);
  record.json = json::to_text(whole);
  return record;
}

}  // namespace craton::service
