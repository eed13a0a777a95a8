// What a server's connections carry, counted by each I/O thread for itself.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace craton::http {

struct Traffic {
  std::uint64_t connections = 0;       ///< Accepted, since the start.
  std::uint64_t connections_open = 0;  ///< Of those, now.
  std::uint64_t received_bytes = 0;    ///< Of HTTP: what TLS adds is not among them.
  std::uint64_t sent_bytes = 0;
};

/// One thread adds, without a lock of the bus; any may read.
class TrafficCounter {
 public:
  void opened() { add(opened_, 1); }
  void closed() { add(closed_, 1); }
  void received(std::size_t bytes) { add(received_, bytes); }
  void sent(std::size_t bytes) { add(sent_, bytes); }

  void add_to(Traffic& traffic) const {
    const std::uint64_t closed = closed_.load(std::memory_order_acquire);  // first: never too many
    const std::uint64_t opened = opened_.load(std::memory_order_relaxed);
    traffic.connections += opened;
    traffic.connections_open += opened - closed;
    traffic.received_bytes += received_.load(std::memory_order_relaxed);
    traffic.sent_bytes += sent_.load(std::memory_order_relaxed);
  }

 private:
  using Number = std::atomic<std::uint64_t>;

  static void add(Number& to, std::uint64_t more) {
    to.store(to.load(std::memory_order_relaxed) + more, std::memory_order_release);
  }

  Number opened_ = 0, closed_ = 0, received_ = 0, sent_ = 0;
};

}  // namespace craton::http
