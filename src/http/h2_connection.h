// One HTTP/2 connection: the sockets and coroutines around an H2Session.
//
//   bytes ─► H2Session ─► a coroutine for each request ─► H2Session ─► bytes, of all streams in
//   turn
//
// Each stream's coroutine is cancelled by itself when the client resets the stream, and all are
// when the client goes away.
//
// Threads: everything happens on the connection's shard's.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "http/body_stream.h"
#include "http/h2_session.h"
#include "http/link.h"

namespace craton::http {

class H2Connection {
 public:
  explicit H2Connection(Link& link);
  ~H2Connection();

  /// Serves until the connection ends. `received`: what was read from it before.
  boost::asio::awaitable<void> serve(std::string received);

  void expire(SteadyTime now);

  /// Lets requests in progress, and those on their way, finish.
  void drain();

  /// Cancels everything. The socket is closed next.
  void abort();

 private:
  struct Exchange;

  void read();
  void receive(std::string_view bytes);
  void act();
  void begin(StreamId stream, Request request);
  void refuse(StreamId stream, Refusal refusal);
  void forget(StreamId stream);

  static boost::asio::awaitable<void> answer(H2Connection* self, std::shared_ptr<Exchange> exchange,
                                             Request request);
  boost::asio::awaitable<void> send_stream(Exchange& exchange, BodyStream& stream);
  boost::asio::awaitable<void> give_pieces(Exchange& exchange, BodyStream& stream);
  bool respond(StreamId stream, Response& response);

  void flush_soon();
  void flush();
  bool write_some();
  void end();
  void cancel_all();

  Link& link_;
  H2Session session_;
  std::unordered_map<StreamId, std::shared_ptr<Exchange>> exchanges_;  // until its coroutine ends

  std::string out_;       // bytes for the wire, of which
  std::size_t sent_ = 0;  // so many are there
  bool flush_due_ = false;
  std::optional<SteadyTime> blocked_since_;  // the kernel takes no more
  bool over_ = false;
};

}  // namespace craton::http
