// HTTP requests and answers as plain values. No I/O.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace craton::http {

class BodyStream;

struct Header {
  std::string name;  ///< As sent; compare with Headers::find, which ignores case.
  std::string value;
};

/// Header fields in the order of the wire.
class Headers {
 public:
  void add(std::string name, std::string value) {
    fields_.push_back({std::move(name), std::move(value)});
  }

  /// The first field of that name, whatever its case; nullopt when there is none. Valid until the
  /// next change.
  std::optional<std::string_view> find(std::string_view name) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<Header> fields_;
};

struct Request {
  std::string method;  ///< "GET"
  std::string target;  ///< Path and query as received, still percent-encoded.
  Headers headers;
  std::string body;
  std::string peer;  ///< Address of the other end, for the log.
};

struct Response {
  Response();
  ~Response();
  Response(Response&& other) noexcept;
  Response& operator=(Response&& other) noexcept;

  int status = 200;
  Headers headers;  ///< Without Content-Length, Transfer-Encoding, Date and Connection, which the
                    ///< server adds.
  std::string body;
  /// Sent in place of `body` when set: bytes that many answers share.
  std::shared_ptr<const std::string> shared_body;
  /// Sent in place of both when set: bytes that are made meanwhile (body_stream.h).
  std::unique_ptr<BodyStream> stream;

  std::string_view body_view() const { return shared_body ? *shared_body : std::string_view(body); }
};

}  // namespace craton::http
