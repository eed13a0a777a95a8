// For tests: a blocking HTTP/2 client over a socket, around an H2Peer.
#pragma once

#include <string>
#include <utility>

#include "http/h2_peer.h"
#include "http/raw_client.h"

namespace craton::http {

class H2Client {
 public:
  explicit H2Client(std::uint16_t port, H2Peer::Options options = {}, int receive_buffer = 0)
      : socket_(port, receive_buffer), peer_(options) {}

  std::int32_t get(const std::string& path) { return request("GET", path); }

  std::int32_t request(const std::string& method, const std::string& path, std::string body = "",
                       H2Peer::Fields fields = {}) {
    const std::int32_t id = peer_.request(method, path, std::move(body), std::move(fields));
    send();
    return id;
  }

  /// Sends what the peer has for the server; false when the server takes no more.
  bool send() { return socket_.send(peer_.output()); }

  /// Takes in what comes until `condition`; false when the connection ends first, or in 20 s.
  template <class Condition>
  bool until(Condition condition) {
    while (!condition()) {
      if (!socket_.read_some()) return false;
      peer_.feed(socket_.take_unread());
      send();
    }
    return true;
  }

  /// The whole answer; with `closed` false when the connection ended first.
  const H2Peer::Answer& wait(std::int32_t id) {
    until([&] { return peer_.answer(id).closed; });
    return peer_.answer(id);
  }

  /// Reads to the connection's end; true when that is one in order.
  bool at_end() {
    until([] { return false; });
    return socket_.ended_in_order();
  }

  H2Peer& peer() { return peer_; }
  RawClient& socket() { return socket_; }

 private:
  RawClient socket_;
  H2Peer peer_;
};

}  // namespace craton::http
