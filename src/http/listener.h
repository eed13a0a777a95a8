// Listening sockets of one port, one for each I/O thread (SO_REUSEPORT: the kernel spreads
// connections over them).
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace craton::http {

/// One acceptor on each of `contexts`, all bound to the same address, listening.
///
/// A port that another program listens on is an error, also when that program is a server like this
/// one: SO_REUSEPORT alone would let both have it, and each lose half its clients.
/// `host`: an address, or a name, of whose addresses the first that can be had is taken. Port 0:
/// one that is free. Fails with `internal_server`; the message names the address and the cure.
Result<std::vector<boost::asio::ip::tcp::acceptor>> listen(
    const std::string& host, std::uint16_t port,
    const std::vector<boost::asio::io_context*>& contexts);

}  // namespace craton::http
