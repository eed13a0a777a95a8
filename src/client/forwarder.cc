#include "client/forwarder.h"

#include <algorithm>
#include <cctype>
#include <span>
#include <string>
#include <utility>

#include "client/endpoint.h"

namespace craton::client {
namespace {

// RFC 9110 7.6.1, and what a client sends for this connection alone.
constexpr std::string_view between_neighbours[] = {
    "connection", "keep-alive",        "proxy-connection", "te",     "trailer",
    "upgrade",    "transfer-encoding", "content-length",   "expect", "http2-settings",
};

// Of the caller's: its credentials, and who it thought that it asked.
constexpr std::string_view callers_own[] = {
    "authorization",        "host",      ":authority", "x-amz-date",
    "x-amz-security-token", "x-api-key", "cookie",     "accept-encoding",
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_one_of(std::span<const std::string_view> names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

sigv4::Fields fields_of(const http::Request& request) {
  sigv4::Fields fields;
  for (const http::Header& field : request.headers) {
    const std::string name = lower(field.name);
    const bool kept = !is_between_neighbours(name) && !is_one_of(callers_own, name) &&
                      !name.starts_with("x-craton-") && !name.starts_with("x-forwarded-");
    if (kept) fields.emplace_back(field.name, field.value);
  }
  return fields;
}

/// Path and query without those of a presigned URL.
std::pair<std::string, std::string> target_of(const std::string& target) {
  const std::size_t mark = target.find('?');
  std::string query;
  std::string_view rest =
      mark == target.npos ? std::string_view() : std::string_view(target).substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (lower(one).starts_with("x-amz-")) continue;
    query += (query.empty() ? "" : "&") + std::string(one);
  }
  return {target.substr(0, mark), query};
}

/// The signed fields among them: proxies may change the others on the way.
sigv4::Fields to_sign(const sigv4::Fields& fields) {
  sigv4::Fields some;
  for (const auto& field : fields) {
    const std::string name = lower(field.first);
    if (name == "content-type" || name.starts_with("x-amz")) some.push_back(field);
  }
  return some;
}

}  // namespace

bool is_between_neighbours(std::string_view name) {
  return is_one_of(between_neighbours, lower(name));
}

void Forwarder::Sent::resume() {
  const std::lock_guard lock(mutex_);
  if (transfer_) transfer_->resume();
}

void Forwarder::Sent::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (transfer_) transfer_->cancel();
}

void Forwarder::Sent::follow(std::shared_ptr<http::Client::Transfer> transfer) {
  const std::lock_guard lock(mutex_);
  transfer_ = std::move(transfer);
  if (cancelled_) transfer_->cancel();
}

Forwarder::Forwarder(Settings settings)
    : settings_(std::move(settings)),
      credentials_(credentials_of(settings_)),
      http_({.authority_file = settings_.ca_bundle, .proxy = settings_.options.proxy}) {}

std::shared_ptr<Forwarder::Sent> Forwarder::send(api::Service service, const http::Request& request,
                                                 http::ClientHandlers handlers) {
  std::pair<std::string, std::string> target = target_of(request.target);  // path and query
  const sigv4::Fields fields = fields_of(request);
  const std::string& url = settings_.url_of(service);
  const Endpoint endpoint = endpoint_of(url);
  http::ClientRequest onward{
      .method = request.method, .url = url + target.first, .body = request.body};
  if (!target.second.empty()) onward.url += "?" + target.second;
  for (const auto& [name, value] : fields) onward.headers.add(name, value);
  onward.connect_limit = settings_.options.connect_timeout;
  onward.idle_limit = settings_.options.read_timeout;
  auto sent = std::make_shared<Sent>();
  if (!settings_.bearer_token.empty()) {
    onward.headers.add("Authorization", "Bearer " + settings_.bearer_token);
    transmit(sent, std::move(onward), std::move(handlers));
    return sent;
  }
  credentials_->get([this, sent, onward = std::move(onward), handlers = std::move(handlers),
                     path = endpoint.prefix + target.first, query = target.second,
                     host = endpoint.host,
                     signed_fields = to_sign(fields)](Result<sigv4::Credentials> found) mutable {
    if (!found) {
      return handlers.on_end({http::TransferFault::unreachable, found.error().message});
    }
    const sigv4::Fields authorization =
        sigv4::sign({.method = onward.method,
                     .host = host,
                     .path = path,
                     .query = query,
                     .headers = signed_fields,
                     .body = onward.body},
                    *found, {settings_.region, "bedrock"}, system_now());
    for (const auto& [name, value] : authorization) onward.headers.add(name, value);
    transmit(sent, std::move(onward), std::move(handlers));
  });
  return sent;
}

void Forwarder::transmit(const std::shared_ptr<Sent>& sent, http::ClientRequest request,
                         http::ClientHandlers handlers) {
  sent->follow(http_.send(std::move(request), std::move(handlers)));
}

}  // namespace craton::client
