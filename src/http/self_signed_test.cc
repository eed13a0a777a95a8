#include "http/self_signed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>

#include "http/tls.h"

namespace craton::http {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::chrono::hours day{24};

struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Certificate = std::unique_ptr<X509, FreeX509>;

Certificate read(const std::filesystem::path& file) {
  std::FILE* stream = std::fopen(file.c_str(), "r");
  Certificate certificate(PEM_read_X509(stream, nullptr, nullptr, nullptr));
  std::fclose(stream);
  return certificate;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class SelfSignedFolder : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(folder_); }

  SelfSigned make(const std::vector<std::string>& hosts = {}, std::chrono::hours later = {}) {
    const auto made = self_signed(folder_, hosts, now_ + later);
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : SelfSigned();
  }

  bool names(const std::string& host) {
    const Certificate certificate = read(folder_ / "server.pem");
    return X509_check_host(certificate.get(), host.data(), host.size(), 0, nullptr) == 1 ||
           X509_check_ip_asc(certificate.get(), host.c_str(), 0) == 1;
  }

  const WallTime now_ = std::chrono::system_clock::now();
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("craton_certificates." + std::to_string(getpid()));
};

TEST_F(SelfSignedFolder, HoldsAnAuthorityAndAServerThatIsNone) {
  const SelfSigned files = make();
  const Certificate authority = read(files.authority);
  const Certificate server = read(files.certificate);
  EXPECT_EQ(X509_check_ca(authority.get()), 1);
  EXPECT_EQ(X509_check_ca(server.get()), 0) << "rustls refuses a server that is an authority";
  EXPECT_NE(X509_get_extension_flags(server.get()) & EXFLAG_BCONS, 0u) << "and says so";
  EXPECT_EQ(X509_get_extended_key_usage(server.get()), static_cast<unsigned>(XKU_SSL_SERVER));
  EXPECT_EQ(X509_check_issued(authority.get(), server.get()), X509_V_OK);
  EXPECT_EQ(X509_verify(server.get(), X509_get0_pubkey(authority.get())), 1);
  EXPECT_TRUE(TlsContext::from_files(files.certificate, files.certificate));
}

TEST_F(SelfSignedFolder, NamesTheLoopbackAndTheHosts) {
  make({"192.0.2.7", "craton.example", "a,DNS:example.com", "@x", ""});
  for (const char* host : {"localhost", "127.0.0.1", "::1", "192.0.2.7", "craton.example"}) {
    EXPECT_TRUE(names(host)) << host;
  }
  EXPECT_FALSE(names("example.com"));
}

TEST_F(SelfSignedFolder, KeepsItsKeysToItself) {
  const SelfSigned files = make();
  for (const auto& file : {files.certificate, folder_ / "ca-key.pem"}) {
    struct stat status{};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << file;
  }
}

TEST_F(SelfSignedFolder, IsUsedAgain) {
  const SelfSigned files = make();
  const std::string authority = text_of(files.authority);
  const std::string server = text_of(files.certificate);
  make({}, 100 * day);
  EXPECT_EQ(text_of(files.authority), authority);
  EXPECT_EQ(text_of(files.certificate), server);
}

TEST_F(SelfSignedFolder, RenewsTheServerUnderTheSameAuthority) {
  const SelfSigned files = make();
  const std::string authority = text_of(files.authority);
  const std::string server = text_of(files.certificate);
  make({}, 370 * day);
  EXPECT_EQ(text_of(files.authority), authority);
  const std::string renewed = text_of(files.certificate);
  EXPECT_NE(renewed, server);
  make({"craton.example"}, 370 * day);
  EXPECT_NE(text_of(files.certificate), renewed) << "for a host that it did not name";
  EXPECT_EQ(text_of(files.authority), authority);
}

TEST_F(SelfSignedFolder, RenewsAnAuthorityBeforeItsServersOutliveIt) {
  const SelfSigned files = make();
  const std::string authority = text_of(files.authority);
  make({}, 3300 * day);
  EXPECT_NE(text_of(files.authority), authority);
  EXPECT_EQ(
      X509_verify(read(files.certificate).get(), X509_get0_pubkey(read(files.authority).get())), 1);
}

TEST_F(SelfSignedFolder, MakesAnewWhatIsBroken) {
  const SelfSigned files = make();
  for (const auto& file : {files.certificate, files.authority, folder_ / "ca-key.pem"}) {
    std::ofstream(file) << "broken";
    make();
    EXPECT_EQ(
        X509_verify(read(files.certificate).get(), X509_get0_pubkey(read(files.authority).get())),
        1);
    EXPECT_TRUE(TlsContext::from_files(files.certificate, files.certificate));
  }
}

TEST_F(SelfSignedFolder, MayBeMadeByManyAtOnce) {
  std::vector<std::future<bool>> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(std::async(std::launch::async, [&] {
      const auto files = self_signed(folder_, {}, now_);
      return files && TlsContext::from_files(files->certificate, files->certificate);
    }));
  }
  for (auto& one : all) EXPECT_TRUE(one.get());
  EXPECT_EQ(X509_verify(read(folder_ / "server.pem").get(),
                        X509_get0_pubkey(read(folder_ / "ca.pem").get())),
            1);
}

TEST_F(SelfSignedFolder, IsNamedWhenItCannotBeWritten) {
  const auto made = self_signed("/proc/nowhere", {}, now_);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("/proc/nowhere"));
  EXPECT_THAT(made.error().message, HasSubstr("cannot be written"));
}

}  // namespace
}  // namespace craton::http
