#include "http/download.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "http/one_shot_server.h"

namespace craton::http {
namespace {

namespace fs = std::filesystem;

const std::string content = "0123456789abcdefghij";

std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Serves `content`, from where a Range header asks.
std::string ranged(const std::string& head) {
  const std::size_t range = head.find("Range: bytes=");
  if (range == std::string::npos) return ok(content);
  const std::size_t start = std::stoul(head.substr(range + 13));
  if (start >= content.size()) {
    return "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n";
  }
  const std::string rest = content.substr(start);
  return "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(start) + "-" +
         std::to_string(content.size() - 1) + "/" + std::to_string(content.size()) +
         "\r\nContent-Length: " + std::to_string(rest.size()) + "\r\n\r\n" + rest;
}

class Download : public testing::Test {
 protected:
  Download() { fs::create_directories(folder_); }
  ~Download() override { fs::remove_all(folder_); }

  void there(const std::string& text) { std::ofstream(file_) << text; }

  std::string text() const {
    std::ifstream file(file_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("download-" + std::to_string(getpid()));
  const fs::path file_ = folder_ / "file.part";
};

TEST_F(Download, FetchesAFileAndTellsHowFarItIs) {
  const OneShotServer server(ranged);
  std::uint64_t last = 0;
  const auto done =
      download(server.url() + "/x", file_, [&](std::uint64_t now, std::uint64_t total) {
        EXPECT_GE(now, last);
        EXPECT_EQ(total, content.size());
        last = now;
      });
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(text(), content);
  EXPECT_EQ(last, content.size());
}

TEST_F(Download, GoesOnWhereTheFileEnds) {
  there(content.substr(0, 7));
  const OneShotServer server(ranged);
  ASSERT_TRUE(download(server.url() + "/x", file_, {}));
  EXPECT_EQ(text(), content);
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(Download, BeginsAnewWhereTheServerCannotGoOn) {
  there("what was there");
  const OneShotServer server([](const std::string&) { return ok(content); });
  ASSERT_TRUE(download(server.url() + "/x", file_, {}));
  EXPECT_EQ(text(), content);
}

TEST_F(Download, LeavesAFileThatIsCompleteAsItIs) {
  there(content);
  const OneShotServer server(ranged);
  ASSERT_TRUE(download(server.url() + "/x", file_, {}));
  EXPECT_EQ(text(), content);
}

TEST_F(Download, KeepsWhatCameWhenItBreaksOff) {
  const OneShotServer server([](const std::string&) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + content.substr(0, 5);
  });
  const auto done = download(server.url() + "/x", file_, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().fault, DownloadFault::interrupted);
  EXPECT_NE(done.error().message.find("Run the command again"), std::string::npos);
  EXPECT_EQ(text(), content.substr(0, 5));
}

TEST_F(Download, FollowsRedirects) {
  const OneShotServer target(ranged);
  const OneShotServer server([&](const std::string&) {
    return "HTTP/1.1 302 Found\r\nLocation: " + target.url() + "/y\r\nContent-Length: 0\r\n\r\n";
  });
  ASSERT_TRUE(download(server.url() + "/x", file_, {}));
  EXPECT_EQ(text(), content);
}

TEST_F(Download, TellsAnErrorStatusAndKeepsNoPage) {
  const OneShotServer server([](const std::string&) {
    return "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nno such x";
  });
  const auto done = download(server.url() + "/x", file_, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().fault, DownloadFault::refused);
  EXPECT_NE(done.error().message.find("status 404"), std::string::npos);
  EXPECT_EQ(text(), "");
}

TEST_F(Download, NamesAHostThatCannotBeReached) {
  std::string url;
  {
    const OneShotServer gone(ranged);
    url = gone.url();
  }
  const auto done = download(url + "/x", file_, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().fault, DownloadFault::unreachable);
  EXPECT_NE(done.error().message.find("127.0.0.1:"), std::string::npos);
}

TEST_F(Download, NamesAFileThatCannotBeWritten) {
  const OneShotServer server(ranged);
  const auto done = download(server.url() + "/x", folder_ / "no" / "such" / "folder", {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().fault, DownloadFault::disk);
  EXPECT_NE(done.error().message.find("no/such/folder"), std::string::npos);
}

TEST_F(Download, ReadsNoLocalFiles) { EXPECT_FALSE(download("file:///etc/hostname", file_, {})); }

}  // namespace
}  // namespace craton::http
