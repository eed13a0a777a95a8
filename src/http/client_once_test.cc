#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>

#include "http/client.h"
#include "http/one_shot_server.h"

namespace craton::http {
namespace {

/// Answers the first request of a connection and ends it at the second, as a server does that dies.
class DyingServer {
 public:
  DyingServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
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
  ~DyingServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  const std::string& url() const { return url_; }
  int requests() const { return requests_; }

 private:
  static bool read_request(int peer) {
    std::string all;
    char byte = 0;
    while (!all.ends_with("\r\n\r\nbody")) {
      if (recv(peer, &byte, 1, 0) != 1) return false;
      all += byte;
    }
    return true;
  }

  void serve() {
    for (int peer = accept(listener_, nullptr, nullptr); peer >= 0;
         peer = accept(listener_, nullptr, nullptr)) {
      if (read_request(peer)) {
        ++requests_;
        const std::string bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (read_request(peer)) ++requests_;
      }
      close(peer);
    }
  }

  int listener_;
  std::string url_;
  std::atomic<int> requests_ = 0;
  std::thread thread_;
};

TransferFault post(Client& client, const std::string& url, bool repeatable) {
  std::promise<TransferFault> told;
  client.send({.method = "POST", .url = url, .body = "body", .repeatable = repeatable},
              {.on_end = [&](const TransferEnd& end) { told.set_value(end.fault); }});
  return told.get_future().get();
}

TEST(ClientOnce, ABodyThatMayBeRepeatedIsWhereAKeptConnectionEnds) {
  DyingServer server;
  Client client;
  EXPECT_EQ(post(client, server.url(), true), TransferFault::none);
  EXPECT_EQ(post(client, server.url(), true), TransferFault::none);
  EXPECT_EQ(server.requests(), 3) << "the second was seen twice";
}

TEST(ClientOnce, OneThatMayNotIsSentOnce) {
  DyingServer server;
  Client client;
  EXPECT_EQ(post(client, server.url(), false), TransferFault::none);
  EXPECT_EQ(post(client, server.url(), false), TransferFault::broken);
  EXPECT_EQ(server.requests(), 2);
}

}  // namespace
}  // namespace craton::http
