// A server for tests: each connection gets what a function answers to its request's head, and ends.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

namespace craton::http {

class OneShotServer {
 public:
  /// `answer`: the head of a request, to the bytes sent back.
  explicit OneShotServer(std::function<std::string(const std::string& head)> answer)
      : answer_(std::move(answer)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(listener_, 16);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }

  ~OneShotServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  const std::string& url() const { return url_; }
  int requests() const { return requests_; }

 private:
  void serve() {
    for (int peer = accept(listener_, nullptr, nullptr); peer >= 0;
         peer = accept(listener_, nullptr, nullptr)) {
      std::string head;
      char byte = 0;
      while (!head.ends_with("\r\n\r\n") && recv(peer, &byte, 1, 0) == 1) head += byte;
      ++requests_;
      const std::string bytes = answer_(head);
      send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      close(peer);
    }
  }

  std::function<std::string(const std::string&)> answer_;
  int listener_;
  std::string url_;
  std::atomic<int> requests_ = 0;
  std::thread thread_;
};

}  // namespace craton::http
