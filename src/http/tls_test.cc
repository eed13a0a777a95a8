#include "http/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "http/h2_peer.h"
#include "http/self_signed.h"
#include "http/test_server.h"
#include "http/tls_client.h"

namespace craton::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::string request = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

class TlsServer : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    folder_ =
        std::filesystem::temp_directory_path() / ("craton_tls_test." + std::to_string(::getpid()));
    const auto made = self_signed(folder_, {}, system_now());
    ASSERT_TRUE(made) << made.error().message;
    files_ = *made;
    const auto context = TlsContext::from_files(files_.certificate, files_.certificate);
    ASSERT_TRUE(context) << context.error().message;
    context_ = *context;
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  void start_tls(ServerOptions options = {}) {
    options.tls = context_;
    start(options);
  }

  TlsClientOptions trusting(std::string protocols = "") {
    return {.authority = files_.authority, .protocols = std::move(protocols)};
  }

  std::filesystem::path folder_;
  SelfSigned files_;
  std::shared_ptr<const TlsContext> context_;
};

TEST_F(TlsServer, AnswersWhoTrustsItsAuthority) {
  start_tls();
  TlsClient client(server_->port(), trusting());
  ASSERT_TRUE(client.connected());
  client.send(request);
  EXPECT_THAT(client.receive_all(), EndsWith("GET /a "));
  EXPECT_TRUE(client.ended_in_order());
}

TEST_F(TlsServer, IsNotTrustedUnderAnotherName) {
  start_tls();
  TlsClientOptions options = trusting();
  options.host = "example.com";
  EXPECT_FALSE(TlsClient(server_->port(), options).connected());
  options.host = "localhost";
  EXPECT_TRUE(TlsClient(server_->port(), options).connected());
}

TEST_F(TlsServer, ChoosesTheProtocolByAlpn) {
  start_tls();
  for (const auto& [offered, chosen] : {std::pair{"\x08http/1.1", "http/1.1"},
                                        {"\x08http/1.1\x02h2", "h2"},
                                        {"\x03"
                                         "abc",
                                         ""},
                                        {"", ""}}) {
    TlsClient client(server_->port(), trusting(offered));
    EXPECT_TRUE(client.connected()) << offered;
    EXPECT_EQ(client.protocol(), chosen) << offered;
  }
}

TEST_F(TlsServer, SpeaksHttp2WhateverWasNegotiated) {
  start_tls();
  for (const char* offered : {"\x02h2", "", "\x08http/1.1"}) {
    TlsClient client(server_->port(), trusting(offered));
    H2Peer peer;
    const std::int32_t small = peer.request("GET", "/a");
    const std::int32_t large = peer.request("GET", "/large");
    const std::int32_t body = peer.request("POST", "/size", std::string(3'000'000, 'x'));
    while (true) {
      for (std::string up = peer.output(); !up.empty(); up = peer.output()) client.send(up);
      if (peer.answer(small).closed && peer.answer(large).closed && peer.answer(body).closed) break;
      const std::string down = client.receive();
      ASSERT_FALSE(down.empty());
      peer.feed(down);
    }
    EXPECT_EQ(peer.answer(small).body, "GET /a ");
    EXPECT_TRUE(peer.answer(large).body == *record_.large);
    EXPECT_EQ(peer.answer(body).body, "3000000");
  }
}

TEST_F(TlsServer, CarriesLargeBodiesBothWays) {
  start_tls();
  TlsClient client(server_->port(), trusting());
  const std::string body(5'000'000, 'x');
  client.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n");
  client.send(body);
  client.send("GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string answers = client.receive_all();
  EXPECT_THAT(answers.substr(0, 1000), HasSubstr("\r\n\r\n5000000HTTP/1.1 200 OK"));
  EXPECT_TRUE(answers.ends_with(*record_.large));
}

TEST_F(TlsServer, WaitsForAReaderWithASmallBuffer) {
  start_tls();
  TlsClientOptions options = trusting();
  options.receive_buffer = 4096;
  TlsClient client(server_->port(), options);
  client.send("GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  std::this_thread::sleep_for(100ms);
  EXPECT_TRUE(client.receive_all().ends_with(*record_.large));
}

TEST_F(TlsServer, SendsStreamsPieceByPiece) {
  start_tls();
  TlsClient client(server_->port(), trusting());
  client.send("GET /stream-bells HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.receive(), EndsWith("\r\n\r\n"));
  ASSERT_TRUE(eventually([&] { return record_.started == 1; }));
  record_.bell.ring();
  EXPECT_EQ(client.receive(), "8\r\npiece 0;\r\n");
}

TEST_F(TlsServer, NeverEndsACutStreamInOrder) {
  start_tls();
  TlsClient client(server_->port(), trusting());
  client.send("GET /stream-throw HTTP/1.1\r\nHost: h\r\n\r\n");
  client.receive_all();
  EXPECT_FALSE(client.ended_in_order());
}

TEST_F(TlsServer, CancelsTheHandlerWhenThePeerCloses) {
  start_tls();
  for (const char* target : {"/wait", "/stream-late"}) {
    const int cancelled = record_.cancelled;
    {
      TlsClient client(server_->port(), trusting());
      client.send("GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n");
      ASSERT_TRUE(eventually([&] { return record_.started == cancelled + 1; }));
    }
    EXPECT_TRUE(eventually([&] { return record_.cancelled == cancelled + 1; }));
  }
}

TEST_F(TlsServer, TellsClientsThatDoNotSpeakTls) {
  start_tls();
  const RawAnswer answer = ask("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, "This port speaks TLS: use https://.");
}

TEST_F(TlsServer, RefusesOldVersionsAndGarbage) {
  start_tls();
  TlsClientOptions old = trusting();
  old.version_max = TLS1_1_VERSION;
  EXPECT_FALSE(TlsClient(server_->port(), old).connected());
  old.version_max = TLS1_2_VERSION;
  EXPECT_TRUE(TlsClient(server_->port(), old).connected());
  RawClient garbage = connect();
  garbage.send(std::string(100, '\xff'));
  garbage.at_end();
  EXPECT_TRUE(TlsClient(server_->port(), trusting()).connected());
}

TEST_F(TlsServer, TimesOutHandshakes) {
  ServerOptions options;
  options.handshake_timeout = 200ms;
  start_tls(options);
  RawClient silent = connect();
  RawClient slow = connect();
  slow.send("\x16\x03\x01");
  EXPECT_TRUE(silent.at_end());
  EXPECT_TRUE(slow.at_end());
}

TEST_F(TlsServer, ClosesIdleConnectionsInOrder) {
  start_tls(quick());
  TlsClient client(server_->port(), trusting());
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_TRUE(client.ended_in_order());
}

TEST_F(TlsServer, DrainsConnectionsThatNeverShookHands) {
  start_tls();
  RawClient silent = connect();
  TlsClient idle(server_->port(), trusting());
  EXPECT_TRUE(server_->drain(5s));
  EXPECT_TRUE(silent.at_end());
}

TEST_F(TlsServer, StopsWithEveryKindOfConnectionOpen) {
  start_tls({.threads = 2});
  std::vector<std::unique_ptr<TlsClient>> clients;
  RawClient silent = connect();
  RawClient half = connect();
  half.send("\x16\x03\x01");
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<TlsClient>(server_->port()));
    const char* targets[] = {"/wait", "/large", "/stream-late"};
    clients.back()->send("GET " + std::string(targets[i % 3]) + " HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  ASSERT_TRUE(eventually([&] { return record_.started == 8; }));
  server_->stop();
  EXPECT_EQ(record_.cancelled, 8);
}

// Files.

class TlsFiles : public TlsServer {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  std::string refusal_of(const std::string& certificate, const std::string& key) {
    const auto made = TlsContext::from_files(certificate, key);
    return made ? "none" : made.error().message;
  }
};

TEST_F(TlsFiles, AreNamedWhenTheyAreMissing) {
  EXPECT_EQ(refusal_of("/no/cert.pem", files_.certificate),
            "/no/cert.pem: cannot be read: No such file or directory");
  EXPECT_THAT(refusal_of(files_.certificate, "/no/key.pem"), StartsWith("/no/key.pem: cannot"));
  EXPECT_THAT(refusal_of(folder_, files_.certificate), HasSubstr("cannot be read"));
}

TEST_F(TlsFiles, AreNamedWhenTheyHoldSomethingElse) {
  const std::string text = write("text", "hello\n");
  EXPECT_THAT(refusal_of(text, files_.certificate),
              StartsWith(text + ": holds no usable PEM certificate ("));
  EXPECT_THAT(refusal_of(files_.certificate, text),
              StartsWith(text + ": holds no usable PEM private key ("));
  EXPECT_THAT(refusal_of(files_.authority, files_.authority), HasSubstr("private key"));
}

TEST_F(TlsFiles, AreNamedWhenTheyDoNotBelongTogether) {
  const std::string key = folder_ / "ca-key.pem";
  EXPECT_EQ(refusal_of(files_.certificate, key),
            key + ": is not the key of the certificate in " + files_.certificate.string());
}

}  // namespace
}  // namespace craton::http
