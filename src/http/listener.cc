#include "http/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <iterator>
#include <utility>

namespace craton::http {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using Acceptors = std::vector<tcp::acceptor>;

template <int level, int name>
using IntegerOption = boost::asio::detail::socket_option::integer<level, name>;
template <int level, int name>
using BooleanOption = boost::asio::detail::socket_option::boolean<level, name>;

using ReusePort = BooleanOption<SOL_SOCKET, SO_REUSEPORT>;
using KeepAliveIdleSeconds = IntegerOption<IPPROTO_TCP, TCP_KEEPIDLE>;
using KeepAliveIntervalSeconds = IntegerOption<IPPROTO_TCP, TCP_KEEPINTVL>;
using KeepAliveProbes = IntegerOption<IPPROTO_TCP, TCP_KEEPCNT>;

// The kernel caps it at net.core.somaxconn.
constexpr int backlog = 4096;

// Connections inherit these from their listener. A peer that vanished without a word is noticed
// after 60 + 4 x 15 s, also while its answer is computed and nothing is written.
void set_inherited_options(tcp::acceptor& acceptor, error_code& error) {
  if (!error) acceptor.set_option(tcp::no_delay(true), error);
  if (!error) acceptor.set_option(boost::asio::socket_base::keep_alive(true), error);
  if (!error) acceptor.set_option(KeepAliveIdleSeconds(60), error);
  if (!error) acceptor.set_option(KeepAliveIntervalSeconds(15), error);
  if (!error) acceptor.set_option(KeepAliveProbes(4), error);
}

void open_and_bind(tcp::acceptor& acceptor, const tcp::endpoint& address, bool shared,
                   error_code& error) {
  acceptor.open(address.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && shared) acceptor.set_option(ReusePort(true), error);
  set_inherited_options(acceptor, error);
  if (!error) acceptor.bind(address, error);
  if (!error) acceptor.listen(backlog, error);
}

// The first socket takes the port for itself alone, and only then lets its sisters in.
Acceptors listen_at(tcp::endpoint address, const std::vector<boost::asio::io_context*>& contexts,
                    error_code& error) {
  Acceptors acceptors;
  for (boost::asio::io_context* context : contexts) {
    const bool first = acceptors.empty();
    tcp::acceptor& acceptor = acceptors.emplace_back(*context);
    open_and_bind(acceptor, address, !first, error);
    if (!error && first) acceptor.set_option(ReusePort(true), error);
    if (!error && first) address = acceptor.local_endpoint(error);
    if (error) break;
  }
  return acceptors;
}

// IPv4 first: a client that is told "localhost" tries both, one that is told 127.0.0.1 does not.
std::vector<tcp::endpoint> in_order_of_choice(const tcp::resolver::results_type& found) {
  std::vector<tcp::endpoint> addresses;
  for (const bool ipv4 : {true, false}) {
    std::copy_if(found.begin(), found.end(), std::back_inserter(addresses),
                 [ipv4](const tcp::endpoint& a) { return (a.protocol() == tcp::v4()) == ipv4; });
  }
  return addresses;
}

std::string shown(const std::string& host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != host.npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string cure(const error_code& error) {
  if (error == boost::asio::error::address_in_use) {
    return "Stop the program that listens there, or choose another --port (0 takes a free one).";
  }
  if (error == boost::asio::error::access_denied) {
    return "Ports below 1024 need privileges: choose a higher one.";
  }
  if (error == boost::system::errc::address_not_available) {
    return "This machine has no such address: 127.0.0.1 is for this machine alone, 0.0.0.0 for all "
           "its IPv4 addresses, :: for all of them.";
  }
  if (error == boost::asio::error::no_descriptors)
    return "Raise the limit of open files (ulimit -n).";
  return "Check the host and the port.";
}

Error failure(const std::string& host, std::uint16_t port, const error_code& error) {
  return {ErrorCode::internal_server,
          "Cannot listen on " + shown(host, port) + ": " + error.message() + ". " + cure(error)};
}

}  // namespace

Result<Acceptors> listen(const std::string& host, std::uint16_t port,
                         const std::vector<boost::asio::io_context*>& contexts) {
  error_code error;
  tcp::resolver resolver(*contexts.front());
  const auto found = resolver.resolve(
      host, std::to_string(port), tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error) {
    return Error{ErrorCode::internal_server, "Cannot listen on " + shown(host, port) +
                                                 ": the host is no address and no known name (" +
                                                 error.message() + ")."};
  }
  for (const tcp::endpoint& address : in_order_of_choice(found)) {
    error.clear();
    Acceptors acceptors = listen_at(address, contexts, error);
    if (!error) return acceptors;
  }
  return failure(host, port, error);
}

}  // namespace craton::http
