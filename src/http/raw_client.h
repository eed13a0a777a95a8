// For tests: a blocking TCP client that sends whatever bytes it is told to, and reads answers.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace craton::http {

struct RawAnswer {
  int status = 0;    ///< 0: the connection ended first.
  std::string head;  ///< With its blank line.
  std::string body;

  std::string field(std::string_view name) const {
    const std::size_t at = head.find("\r\n" + std::string(name) + ": ");
    if (at == head.npos) return {};
    const std::size_t start = at + name.size() + 4;
    return head.substr(start, head.find("\r\n", start) - start);
  }
};

class RawClient {
 public:
  /// Nothing it waits for takes longer than 20 s.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_buffer > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  int descriptor() const { return fd_; }

  /// Sends all of `bytes`; false when the peer no longer takes them.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// The next answer. Pass true when it answers a HEAD request.
  RawAnswer read_answer(bool head_only = false) {
    RawAnswer answer;
    answer.head = read_head();
    if (answer.head.empty()) return {};
    answer.status = std::stoi(answer.head.substr(9, 3));
    if (!head_only && answer.field("Transfer-Encoding") == "chunked") return read_chunks(answer);
    const std::string length = answer.field("Content-Length");
    if (head_only || length.empty()) return answer;
    while (buffer_.size() < std::stoul(length)) {
      if (!receive()) return {};
    }
    answer.body = take(std::stoul(length));
    return answer;
  }

  /// Only the head of the next answer: its body stays unread.
  std::string read_head() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == buffer_.npos) {
      if (!receive()) return {};
    }
    return take(end + 4);
  }

  /// The next chunk of a chunked body: "" for the last; nullopt when the connection ends first.
  std::optional<std::string> read_chunk() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n")) == buffer_.npos) {
      if (!receive()) return std::nullopt;
    }
    const std::size_t size = std::stoul(buffer_, nullptr, 16);
    while (buffer_.size() < end + 2 + size + 2) {
      if (!receive()) return std::nullopt;
    }
    take(end + 2);
    std::string chunk = take(size);
    return take(2) == "\r\n" ? std::optional(std::move(chunk)) : std::nullopt;
  }

  /// Reads to the end of the stream; true when it ended in order, false on reset or timeout.
  bool at_end() {
    while (receive()) {
    }
    return last_ == 0;
  }

  std::string unread() { return buffer_; }

  /// Waits for more bytes; false when there will be none.
  bool read_some() { return receive(); }
  std::string take_unread() { return std::exchange(buffer_, {}); }
  bool ended_in_order() const { return last_ == 0; }

  void shut_down_sending() { ::shutdown(fd_, SHUT_WR); }

  /// Closes with a reset.
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }

  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  bool receive() {
    char bytes[16 * 1024];
    last_ = ::recv(fd_, bytes, sizeof bytes, 0);
    if (last_ > 0) buffer_.append(bytes, static_cast<std::size_t>(last_));
    return last_ > 0;
  }

  RawAnswer read_chunks(RawAnswer answer) {
    for (auto chunk = read_chunk(); chunk; chunk = read_chunk()) {
      if (chunk->empty()) return answer;
      answer.body += *chunk;
    }
    return {};
  }

  std::string take(std::size_t size) {
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return taken;
  }

  int fd_;
  bool connected_ = false;
  ssize_t last_ = 0;
  std::string buffer_;
};

}  // namespace craton::http
