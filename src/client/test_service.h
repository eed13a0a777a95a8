// For tests: a service that answers each request with bytes that the test has written, also wrong
// ones, and keeps what it was asked.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace craton::client {

/// What becomes of a connection after a request.
struct Reaction {
  std::string bytes = {};
  bool stall = false;  ///< It stays open, silent, until the service goes.
  bool reset = false;  ///< It ends with RST.
};

/// "HTTP/1.1 200 OK", headers and the body.
inline Reaction answering(int status, const std::string& body, const std::string& headers = "") {
  return {"HTTP/1.1 " + std::to_string(status) + " Status\r\nContent-Length: " +
          std::to_string(body.size()) + "\r\nConnection: close\r\n" + headers + "\r\n" + body};
}

class TestService {
 public:
  /// `react`: by the number of the request, from 0, and the request itself.
  explicit TestService(std::function<Reaction(int number, const std::string& request)> react)
      : react_(std::move(react)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(listener_, 64);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }

  ~TestService() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (const int peer : stalled_) close(peer);
    close(listener_);
  }
  TestService(const TestService&) = delete;
  TestService& operator=(const TestService&) = delete;

  const std::string& url() const { return url_; }

  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    for (int peer = accept(listener_, nullptr, nullptr); peer >= 0;
         peer = accept(listener_, nullptr, nullptr)) {
      std::string request = receive(peer);
      int number = 0;
      {
        const std::lock_guard lock(mutex_);
        number = static_cast<int>(requests_.size());
        requests_.push_back(request);
      }
      const Reaction reaction = react_(number, request);
      send(peer, reaction.bytes.data(), reaction.bytes.size(), MSG_NOSIGNAL);
      if (reaction.stall) {
        stalled_.push_back(peer);
        continue;
      }
      if (reaction.reset) {
        const linger at_once{1, 0};
        setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      }
      close(peer);
    }
  }

  static std::string receive(int peer) {
    std::string request;
    char bytes[4096];
    std::size_t wanted = std::string::npos;
    while (request.size() < wanted) {
      const ssize_t count = recv(peer, bytes, sizeof bytes, 0);
      if (count <= 0) break;
      request.append(bytes, static_cast<std::size_t>(count));
      const std::size_t head = request.find("\r\n\r\n");
      if (head == std::string::npos) continue;
      const std::size_t length = request.find("Content-Length: ");
      wanted = head + 4 + (length < head ? std::stoul(request.substr(length + 16)) : 0);
    }
    return request;
  }

  const std::function<Reaction(int, const std::string&)> react_;
  const int listener_;
  std::string url_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<int> stalled_;
  std::thread thread_;
};

}  // namespace craton::client
