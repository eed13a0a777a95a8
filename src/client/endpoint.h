// The parts of an endpoint's URL.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace craton::client {

struct Endpoint {
  std::string host;  ///< As the Host field has it: with the port, where that is not the usual one.
  std::string prefix;  ///< A path that stands before every operation's; most have none.
};

/// `url`: http or https, as Settings holds it.
inline Endpoint endpoint_of(const std::string& url) {
  const std::size_t host = url.find("://") + 3;
  const std::size_t path = std::min(url.find('/', host), url.size());
  Endpoint endpoint{url.substr(host, path - host), url.substr(path)};
  const std::string_view usual = url.starts_with("https") ? ":443" : ":80";
  if (endpoint.host.ends_with(usual)) {
    endpoint.host.resize(endpoint.host.size() - usual.size());
  }
  return endpoint;
}

}  // namespace craton::client
