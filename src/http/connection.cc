#include "http/connection.h"

#include <utility>

namespace craton::http {

using boost::asio::awaitable;

Connection::Connection(boost::asio::ip::tcp::socket socket, Surroundings& surroundings)
    : link_(std::move(socket), surroundings), h1_(link_) {}

awaitable<void> Connection::serve(std::shared_ptr<Connection> self) {
  self->link_.life = self;
  co_await self->serve_protocol();
}

awaitable<void> Connection::serve_protocol() {
  if (link_.surroundings.options.tls) {
    link_.transport.use_tls(*link_.surroundings.options.tls);
    const bool secured = co_await shake_hands();
    if (!secured) co_return;
  }
  const H1Connection::Ending ending = co_await h1_.serve();
  if (ending != H1Connection::Ending::http2) co_return;
  h2_ = std::make_unique<H2Connection>(link_);
  std::string received = h1_.take_received();
  awaitable<void> serving = h2_->serve(std::move(received));
  co_await std::move(serving);
}

// False when the connection is over.
awaitable<bool> Connection::shake_hands() {
  const SteadyTime deadline =
      std::chrono::steady_clock::now() + link_.surroundings.options.handshake_timeout;
  while (true) {
    Transport::Wait wait = Transport::Wait::wait_read;
    switch (link_.transport.shake_hands()) {
      case TlsSocket::Step::done: co_return true;
      case TlsSocket::Step::failed: co_return false;
      case TlsSocket::Step::plain_http: {
        link_.transport.drop_tls();
        const Refusal plain{400, "This port speaks TLS: use https://."};
        co_await h1_.refuse(plain);
        co_return false;
      }
      case TlsSocket::Step::wants_read: break;
      case TlsSocket::Step::wants_write: wait = Transport::Wait::wait_write; break;
    }
    if (link_.surroundings.draining && !link_.transport.handshake_begun()) co_return false;
    const bool in_time = co_await link_.transport.ready(wait, deadline);
    if (!in_time) co_return false;
  }
}

void Connection::expire(SteadyTime now) {
  link_.transport.expire(now);
  if (h2_) h2_->expire(now);
}

// Every wait takes being woken for nothing; what waits then sees that it is time to end.
void Connection::drain() {
  if (h2_) h2_->drain();
  link_.transport.wake();
}

void Connection::abort() {
  link_.gone = true;
  if (h2_) h2_->abort();
  h1_.abort();
  link_.cancel.emit(boost::asio::cancellation_type::terminal);
  link_.transport.close();
}

}  // namespace craton::http
