#include "server/tls.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <utility>
#include <vector>

#include "http/self_signed.h"
#include "server/environment.h"

namespace craton::server {
namespace {

std::string name_of_this_machine() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

/// What clients may call the server, beside the loopback's names.
std::vector<std::string> hosts_of(const Config& config) {
  const bool every_address = config.host == "0.0.0.0" || config.host == "::";
  std::string host = every_address ? name_of_this_machine() : config.host;
  if (host.empty()) return {};
  return {std::move(host)};
}

}  // namespace

Result<TlsSetup> make_tls(const Config& config) {
  TlsSetup setup;
  if (config.tls == Tls::off) return setup;
  if (config.tls == Tls::files) {
    CRATON_TRY_ASSIGN(setup.context, http::TlsContext::from_files(config.tls_cert, config.tls_key));
    return setup;
  }
  const std::vector<std::string> hosts = hosts_of(config);
  CRATON_TRY_ASSIGN(const http::SelfSigned files,
                    http::self_signed(store_of(config.data).folder() / "tls", hosts, system_now()));
  CRATON_TRY_ASSIGN(setup.context,
                    http::TlsContext::from_files(files.certificate, files.certificate));
  setup.authority_file = std::filesystem::absolute(files.authority);
  return setup;
}

}  // namespace craton::server
