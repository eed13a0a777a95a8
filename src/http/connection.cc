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
  const H1Connection::Ending ending = co_await h1_.serve();
  if (ending != H1Connection::Ending::http2) co_return;
  h2_ = std::make_unique<H2Connection>(link_);
  std::string received = h1_.take_received();
  co_await h2_->serve(std::move(received));
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
