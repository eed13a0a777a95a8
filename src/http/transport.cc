#include "http/transport.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace craton::http {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::size_t linger_bytes_max = 128 * 1024 * 1024;
constexpr std::chrono::seconds linger_time_max{30};
constexpr std::chrono::seconds linger_silence_max{2};

Transport::Progress progress_of(std::size_t size, error_code error) {
  if (!error) return {Transport::Status::done, size};
  if (error == asio::error::would_block) return {Transport::Status::not_yet};
  return {Transport::Status::end};
}

Transport::Status status_of(TlsSocket::Step step) {
  switch (step) {
    case TlsSocket::Step::done: return Transport::Status::done;
    case TlsSocket::Step::wants_read:
    case TlsSocket::Step::wants_write: return Transport::Status::not_yet;
    case TlsSocket::Step::plain_http:
    case TlsSocket::Step::failed: break;
  }
  return Transport::Status::end;
}

}  // namespace

Transport::Transport(tcp::socket socket, TrafficCounter& traffic)
    : socket_(std::move(socket)), traffic_(traffic) {
  error_code ignored;  // cannot fail on an open socket
  socket_.non_blocking(true, ignored);
}

std::string Transport::peer() const {
  error_code error;
  const tcp::endpoint peer = socket_.remote_endpoint(error);
  return error ? std::string() : peer.address().to_string();
}

Transport::Progress Transport::read(std::span<char> buffer) {
  const Progress progress = read_some(buffer);
  if (progress.size > 0) traffic_.received(progress.size);
  return progress;
}

Transport::Progress Transport::read_some(std::span<char> buffer) {
  if (tls_) {
    const auto [step, size] = tls_->read(buffer);
    read_wait_ = step == TlsSocket::Step::wants_write ? Wait::wait_write : Wait::wait_read;
    return {status_of(step), size};
  }
  error_code error;
  const std::size_t size = socket_.read_some(asio::buffer(buffer.data(), buffer.size()), error);
  return progress_of(size, error);
}

Transport::Progress Transport::write(const std::array<std::string_view, 3>& parts) {
  const Progress progress = write_some(parts);
  if (progress.size > 0) traffic_.sent(progress.size);
  return progress;
}

Transport::Progress Transport::write_some(const std::array<std::string_view, 3>& parts) {
  if (tls_) {
    const auto [step, size] = tls_->write(parts);
    return {status_of(step), size};
  }
  const std::array<asio::const_buffer, 3> buffers{asio::buffer(parts[0]), asio::buffer(parts[1]),
                                                  asio::buffer(parts[2])};
  error_code error;
  const std::size_t size = socket_.write_some(buffers, error);
  return progress_of(size, error);
}

awaitable<bool> Transport::ready(Wait type, SteadyTime deadline) {
  deadline_ = deadline;
  expired_ = false;
  error_code ignored;  // what is wrong with the socket shows when it is used
  co_await socket_.async_wait(type, asio::redirect_error(asio::use_awaitable, ignored));
  deadline_ = SteadyTime::max();
  co_return !expired_;
}

void Transport::expire(SteadyTime now) {
  if (now < deadline_) return;
  expired_ = true;
  wake();
}

void Transport::wake() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Transport::say_end() {
  if (tls_) tls_->say_end();
}

awaitable<void> Transport::linger(std::span<char> scratch) {
  say_end();
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  const SteadyTime limit = steady_clock::now() + linger_time_max;
  for (std::size_t dropped = 0; dropped < linger_bytes_max;) {
    const SteadyTime deadline = std::min(limit, steady_clock::now() + linger_silence_max);
    const bool in_time = co_await ready(read_wait_, deadline);
    if (!in_time) co_return;
    const Progress progress = read(scratch);
    if (progress.status == Status::end) co_return;
    dropped += progress.size;
  }
}

// Whatever still tries to read or write meets the closed socket, and not one that got its number.
void Transport::close() {
  tls_.reset();
  error_code ignored;
  socket_.close(ignored);
}

// Closes now, as a socket's destructor undoes this option.
void Transport::reset() {
  error_code ignored;
  socket_.set_option(tcp::socket::linger(true, 0), ignored);
  close();
}

}  // namespace craton::http
