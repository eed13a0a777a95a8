// What the protocols have of their connection: the wire, and how to cancel.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <string>
#include <utility>

#include "http/surroundings.h"
#include "http/transport.h"

namespace craton::http {

struct Link {
  Link(boost::asio::ip::tcp::socket socket, Surroundings& shared)
      : transport(std::move(socket), shared.traffic),
        surroundings(shared),
        peer(transport.peer()) {}

  /// Keeps the connection, and with it this and its protocols, alive.
  std::shared_ptr<void> keep() const { return life.lock(); }

  Transport transport;
  Surroundings& surroundings;
  std::string peer;
  boost::asio::cancellation_signal cancel;  ///< Of the coroutine that serves the connection.
  bool gone = false;                        ///< The peer; or the server is stopped.
  std::weak_ptr<void> life;
};

}  // namespace craton::http
