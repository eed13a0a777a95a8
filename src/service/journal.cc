#include "service/journal.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <utility>

#include "base/dates.h"
#include "base/json.h"
#include "base/utf8.h"
#include "service/stream_events.h"

namespace craton::service {
namespace {

/// Of an entry beside its bodies, about.
constexpr std::size_t entry_bytes = 2048;

// Fields whose values nobody is to read here.
constexpr std::string_view secret_fields[] = {"authorization", "x-amz-security-token", "x-api-key",
                                              "cookie", "proxy-authorization"};

std::size_t bytes_of(const Interaction& interaction) {
  std::size_t bytes = entry_bytes + interaction.request.body.size();
  if (interaction.body) bytes += interaction.body->size();
  for (const Interaction::Piece& piece : interaction.pieces) bytes += piece.bytes.size();
  return bytes;
}

bool is_secret(std::string_view name) {
  return std::ranges::any_of(secret_fields, [&](std::string_view secret) {
    return std::ranges::equal(
        name, secret, [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
  });
}

double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

/// JSON where it is some; else text, with what is no UTF-8 in it replaced.
json::value content_of(std::string_view bytes) {
  Result<json::value> read = json::parse(bytes);
  return read ? std::move(*read) : json::value(mended_utf8(bytes));
}

json::object summary_of(const Interaction& interaction) {
  const Account& account = *interaction.account;
  json::array faults;
  for (const auto& fault : account.faults) faults.emplace_back(fault->name);
  json::object object{
      {"id", interaction.request_id},
      {"time", date_text(interaction.began)},
      {"operation", account.operation},
      {"method", interaction.request.method},
      {"path", mended_utf8(interaction.request.target)},
      {"status", interaction.status},
      {"ms", milliseconds(interaction.took)},
      {"modelId", mended_utf8(account.model_id)},
      {"engine", account.engine_kind},
      {"model", account.engine_model},
      {"streamed", interaction.streamed},
      {"bytes", interaction.bytes},
  };
  if (!interaction.error.empty()) object["error"] = interaction.error;
  if (!faults.empty()) object["faults"] = std::move(faults);
  if (account.caller.identity) object["caller"] = account.caller.identity->name;
  if (account.input_tokens) object["inputTokens"] = *account.input_tokens;
  if (account.output_tokens) object["outputTokens"] = *account.output_tokens;
  return object;
}

json::object request_of(const Interaction& interaction) {
  json::array fields;
  for (const http::Header& field : interaction.request.headers) {
    fields.emplace_back(json::array{
        mended_utf8(field.name), is_secret(field.name) ? "(left out)" : mended_utf8(field.value)});
  }
  const std::string& body = interaction.request.body;
  json::object object{
      {"headers", std::move(fields)},
      {"body", content_of(std::string_view(body).substr(0, Journal::kept_bytes_max))}};
  if (body.size() > Journal::kept_bytes_max) object["cutAt"] = Journal::kept_bytes_max;
  return object;
}

json::array events_of(const Interaction& interaction) {
  json::array events;
  for (StreamEvent& event : stream_events(interaction)) {
    json::object object{{"ms", milliseconds(event.after)}, {"content", content_of(event.text)}};
    if (!event.type.empty()) object[event.exception ? "exception" : "type"] = event.type;
    events.emplace_back(std::move(object));
  }
  return events;
}

json::object response_of(const Interaction& interaction) {
  json::object object{{"contentType", interaction.content_type}};
  if (interaction.streamed) {
    object["events"] = events_of(interaction);
    std::size_t kept = 0;
    for (const Interaction::Piece& piece : interaction.pieces) kept += piece.bytes.size();
    if (kept < interaction.bytes) object["cutAt"] = kept;
  } else if (interaction.body) {
    const std::string_view body = *interaction.body;
    object["body"] = content_of(body.substr(0, Journal::kept_bytes_max));
    if (body.size() > Journal::kept_bytes_max) object["cutAt"] = Journal::kept_bytes_max;
  }
  return object;
}

bool fits(const Interaction& interaction, const Journal::Filter& filter) {
  const Account& account = *interaction.account;
  return (filter.operation.empty() || account.operation == filter.operation) &&
         (filter.engine.empty() || account.engine_kind == filter.engine) &&
         (!filter.status || interaction.status == *filter.status) &&
         (!filter.since || std::chrono::floor<std::chrono::seconds>(
                               interaction.began.time_since_epoch()) >= *filter.since) &&
         (filter.model.empty() || account.model_id.find(filter.model) != std::string::npos);
}

}  // namespace

void Journal::saw(std::shared_ptr<const Interaction> interaction) {
  const std::size_t bytes = bytes_of(*interaction);
  std::vector<Entry> gone;  // freed outside of the lock; most often none or one
  const std::lock_guard lock(mutex_);
  entries_.push_back({std::move(interaction), bytes});
  bytes_ += bytes;
  while (entries_.size() > entries_max_ || (bytes_ > bytes_max && !entries_.empty())) {
    bytes_ -= entries_.front().bytes;
    gone.push_back(std::move(entries_.front()));
    entries_.pop_front();
  }
}

std::vector<std::shared_ptr<const Interaction>> Journal::list(const Filter& filter) const {
  std::vector<std::shared_ptr<const Interaction>> found;
  const std::lock_guard lock(mutex_);
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (found.size() >= filter.limit) break;
    if (fits(*entry->interaction, filter)) found.push_back(entry->interaction);
  }
  return found;
}

std::shared_ptr<const Interaction> Journal::find(std::string_view request_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(
      entries_, [&](const Entry& entry) { return entry.interaction->request_id == request_id; });
  return found == entries_.end() ? nullptr : found->interaction;
}

void Journal::clear() {
  std::deque<Entry> gone;
  const std::lock_guard lock(mutex_);
  gone.swap(entries_);
  bytes_ = 0;
}

std::string summary_text(const Interaction& interaction) {
  return json::to_text(summary_of(interaction));
}

std::string whole_text(const Interaction& interaction) {
  json::object object = summary_of(interaction);
  object["request"] = request_of(interaction);
  object["response"] = response_of(interaction);
  return json::to_text(object);
}

}  // namespace craton::service
