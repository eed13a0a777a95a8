#include "engines/llama/remote_layers.h"

#include <ggml-backend.h>
#include <ggml-rpc.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "engines/llama/cpu.h"
#include "engines/llama/gpus.h"

namespace craton::engines::llama {
namespace {

constexpr int patience_ms = 5000;  // for each of connecting, asking and the answer

Error broken(std::string reason) { return {ErrorCode::model_error, std::move(reason)}; }

class Socket {
 public:
  explicit Socket(int number) : number_(number) {}
  ~Socket() {
    if (number_ >= 0) ::close(number_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool open() const { return number_ >= 0; }
  int number() const { return number_; }

  bool waits_for(short events) const {
    pollfd watched{.fd = number_, .events = events, .revents = 0};
    return ::poll(&watched, 1, patience_ms) == 1;
  }

 private:
  int number_;
};

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};

/// Empty when connected; otherwise why not.
std::string connect(const Socket& socket, const addrinfo& address) {
  if (!socket.open()) return std::strerror(errno);
  if (::connect(socket.number(), address.ai_addr, address.ai_addrlen) == 0) return {};
  if (errno != EINPROGRESS) return std::strerror(errno);
  if (!socket.waits_for(POLLOUT)) return "it does not answer";
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0 ? std::string() : std::strerror(error);
}

/// Reads all of `bytes`, or false.
bool receive(const Socket& socket, std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    if (!socket.waits_for(POLLIN)) return false;
    const ssize_t size = ::recv(socket.number(), bytes.data(), bytes.size(), 0);
    if (size <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return true;
}

// The first message of the protocol: a command, the size of what follows, and what either side can
// beside TCP, which is nothing. The answer: its size, the version's three numbers and one to spare,
// and the same again.
constexpr std::uint8_t hello = 14;
constexpr std::uint64_t able_size = 24;
constexpr std::uint64_t answer_size = 4 + able_size;

/// Empty when the machine speaks this version of the protocol; otherwise what is wrong.
std::string greet(const Socket& socket) {
  std::array<std::uint8_t, 1 + sizeof(std::uint64_t) + able_size> question{hello};
  std::memcpy(&question[1], &able_size, sizeof able_size);
  if (::send(socket.number(), question.data(), question.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(question.size())) {
    return std::strerror(errno);
  }
  std::uint64_t size = 0;
  std::array<std::uint8_t, answer_size> answer;
  const bool answered = receive(socket, {reinterpret_cast<std::uint8_t*>(&size), sizeof size}) &&
                        size == answer_size && receive(socket, answer);
  if (!answered) return "no 'craton worker' answers there, or it works for another server";
  if (answer[0] == RPC_PROTO_MAJOR_VERSION && answer[1] <= RPC_PROTO_MINOR_VERSION) return {};
  return "it runs another version; both sides must be of the same version of Craton";
}

/// Empty when the machine is there and can be used; otherwise why not.
std::string trouble_with(const std::string& machine) {
  const std::size_t colon = machine.rfind(':');
  const addrinfo wanted{.ai_flags = 0,
                        .ai_family = AF_INET,  // all that the backend speaks
                        .ai_socktype = SOCK_STREAM,
                        .ai_protocol = 0,
                        .ai_addrlen = 0,
                        .ai_addr = nullptr,
                        .ai_canonname = nullptr,
                        .ai_next = nullptr};
  if (colon == std::string::npos) return "it must be HOST:PORT";
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(machine.substr(0, colon).c_str(),
                                  machine.substr(colon + 1).c_str(), &wanted, &found);
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  if (error != 0 || !addresses) return ::gai_strerror(error);
  const Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const std::string unconnected = connect(socket, *addresses);
  return unconnected.empty() ? greet(socket) : unconnected;
}

}  // namespace

Result<Machines> Machines::reach(const std::vector<std::string>& names) {
  Machines machines;
  if (names.empty()) return machines;
  machines.devices_ = gpus();
  for (const std::string& name : names) {
    const std::uint64_t losses = ggml_backend_rpc_losses(name.c_str());
    const std::string trouble = trouble_with(name);
    if (!trouble.empty()) {
      return broken("machine " + name + " cannot be used: " + trouble +
                    ". Run 'craton worker' on it, or leave it out of --rpc.");
    }
    ggml_backend_reg_t backend = ggml_backend_rpc_add_server(name.c_str());
    if (!backend) return broken("machine " + name + " has nothing to compute on.");
    for (std::size_t i = 0; i < ggml_backend_reg_dev_count(backend); ++i) {
      machines.devices_.push_back(ggml_backend_reg_dev_get(backend, i));
    }
    machines.reached_.push_back({name, losses});
  }
  return machines;
}

std::string Machines::lost() const {
  for (const Reached& machine : reached_) {
    if (ggml_backend_rpc_losses(machine.name.c_str()) != machine.losses) return machine.name;
  }
  return {};
}

std::string work(const WorkerOptions& options) {
  std::vector<ggml_backend_dev_t> devices = gpus();
  if (devices.empty()) {
    devices.push_back(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU));
  }
  const int threads = options.threads > 0 ? options.threads : usable_cores();
  const std::string endpoint = options.host + ":" + std::to_string(options.port);
  ggml_backend_rpc_start_server(endpoint.c_str(),
                                options.cache.empty() ? nullptr : options.cache.c_str(),
                                static_cast<std::size_t>(threads), devices.size(), devices.data());
  return "cannot listen on " + endpoint + ". Is the port taken? Name another with --port.";
}

}  // namespace craton::engines::llama
