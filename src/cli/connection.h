// Connection: where the calling commands (models, invoke, ask, …) send their requests, by the flags
// that all of them have.
//
//   --endpoint-url, variables, profile ─► that server
//   a profile, credentials ─────────────► AWS
//   none of them, or --local ───────────► a server in this very process, with the configured model
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "craton/client.h"
#include "server/bedrock_server.h"

namespace craton::cli {

struct ConnectionFlags {
  std::string profile;
  std::string region;
  std::string endpoint_url;
  std::string ca_bundle;
  bool local = false;
  std::string output;
};

/// Adds the flags to `command`; `outputs` is what --output takes, the default first.
std::shared_ptr<ConnectionFlags> add_connection(CLI::App& command,
                                                const std::vector<std::string>& outputs);

class Connection {
 public:
  /// Fails with what to do.
  static Outcome<Connection> open(const ConnectionFlags& flags);
  ~Connection();
  Connection(Connection&&) noexcept;

  const Client& client() const { return *client_; }

  /// True: nothing leaves this process.
  bool local() const { return server_ != nullptr; }

 private:
  Connection();
  std::unique_ptr<server::BedrockServer> server_;
  std::unique_ptr<Client> client_;  // last: ends before the server that it asks
};

/// One line on standard error, or with `json` an object; gives the exit code of that kind of error.
int fail(const CallError& error, bool json = false);

}  // namespace craton::cli
