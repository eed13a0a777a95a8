#include "store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "base/log.h"

namespace craton::store {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    log::set_level(log::Level::off);
    char name[] = "/tmp/craton-store-XXXXXX";
    folder = ::mkdtemp(name);
  }
  ~StoreTest() override {
    fs::permissions(folder, fs::perms::owner_all);
    fs::remove_all(folder);
  }

  fs::path file() const { return folder / "craton.db"; }
  static std::string got(Store& store, const Key& key) {
    const auto document = store.get(key);
    EXPECT_TRUE(document) << document.error().message;
    return document && *document ? **document : "none";
  }
  static void expect_failed(const Result<void>& outcome) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::internal_server);
    EXPECT_EQ(outcome.error().message.find('/'), std::string::npos) << outcome.error().message;
  }

  fs::path folder;
};

const Key key{"agreement", "us-east-1", "a"};

TEST_F(StoreTest, ADocumentIsThereUntilItIsErased) {
  Store store(file());
  ASSERT_TRUE(store.put(key, R"({"n":1})"));
  ASSERT_TRUE(store.put(key, R"({"n":2})"));
  EXPECT_EQ(got(store, key), R"({"n":2})");
  EXPECT_EQ(got(store, {"agreement", "us-west-2", "a"}), "none");
  EXPECT_EQ(got(store, {"guardrail", "us-east-1", "a"}), "none");
  EXPECT_TRUE(*store.erase(key));
  EXPECT_FALSE(*store.erase(key));
  EXPECT_EQ(got(store, key), "none");
}

TEST_F(StoreTest, InsertDoesNotReplace) {
  Store store(file());
  EXPECT_TRUE(*store.insert(key, "1"));
  EXPECT_FALSE(*store.insert(key, "2"));
  EXPECT_EQ(got(store, key), "1");
}

TEST_F(StoreTest, ListsInTheOrderOfCreation) {
  Store store(file());
  for (const char* id : {"c", "a", "b"}) ASSERT_TRUE(store.put({"k", "r", id}, id));
  ASSERT_TRUE(store.put({"k", "r", "c"}, "changed"));
  const auto listed = store.list("k", "r");
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), 3u);
  EXPECT_EQ(listed->at(0).json, "changed");
  EXPECT_EQ(listed->at(1).id, "a");
  EXPECT_EQ(listed->at(2).id, "b");
}

TEST_F(StoreTest, TheFileIsMadeAtTheFirstWriteAndPrivate) {
  Store store(folder / "new" / "craton.db");
  EXPECT_EQ(got(store, key), "none");
  EXPECT_TRUE(store.list("k", "r")->empty());
  EXPECT_FALSE(*store.erase(key));
  EXPECT_FALSE(store.problem());
  EXPECT_FALSE(fs::exists(folder / "new"));
  ASSERT_TRUE(store.put(key, "1"));
  struct stat status{};
  ASSERT_EQ(::stat((folder / "new" / "craton.db").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(StoreTest, ATransactionIsAllOrNothing) {
  Store store(file());
  const auto outcome = store.transact([](Session& session) -> Result<void> {
    session.put({"k", "r", "1"}, "x");
    return Error{ErrorCode::conflict, "no"};
  });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::conflict);
  EXPECT_EQ(got(store, {"k", "r", "1"}), "none");
  ASSERT_TRUE(store.transact([](Session& session) -> Result<void> {
    session.put({"k", "r", "1"}, "x");
    session.put({"k", "r", "2"}, session.get({"k", "r", "1"}).value() + "y");
    return {};
  }));
  EXPECT_EQ(got(store, {"k", "r", "2"}), "xy");
}

TEST_F(StoreTest, WhatWasAcknowledgedSurvivesKill) {
  const pid_t child = ::fork();
  if (child == 0) {
    Store store(file());
    for (int i = 0; i < 20; ++i) {
      if (!store.put({"k", "r", std::to_string(i)}, "x")) ::_exit(1);
    }
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  Store store(file());
  EXPECT_EQ(store.list("k", "r")->size(), 20u);
}

TEST_F(StoreTest, ServersShareAFileFromItsFirstMoment) {
  constexpr int servers = 6;
  constexpr int writes = 20;
  std::vector<std::thread> threads;
  for (int server = 0; server < servers; ++server) {
    threads.emplace_back([this, server] {
      Store store(file(), std::chrono::seconds(60));
      for (int i = 0; i < writes; ++i) {
        const std::string id = std::to_string(server) + "/" + std::to_string(i);
        EXPECT_TRUE(store.put({"k", "r", id}, "x"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Store store(file());
  EXPECT_EQ(store.list("k", "r")->size(), std::size_t(servers * writes));
}

TEST_F(StoreTest, ADamagedFileIsToldAndTheNextCallTriesAgain) {
  std::ofstream(file()) << std::string(8192, 'x');
  Store store(file());
  expect_failed(store.put(key, "1"));
  ASSERT_FALSE(store.get(key));
  EXPECT_THAT(store.problem().value_or(""), HasSubstr("--store"));
  fs::remove(file());
  EXPECT_TRUE(store.put(key, "1"));
}

TEST_F(StoreTest, AFileThatBecomesDamagedIsTold) {
  {
    Store store(file());
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(store.put({"k", "r", std::to_string(i)}, std::string(500, 'x')));
    }
  }
  const auto size = fs::file_size(file());
  std::fstream damaged(file(), std::ios::in | std::ios::out | std::ios::binary);
  damaged.seekp(4096);
  damaged << std::string(size - 4096, '\xff');
  damaged.close();
  Store store(file());
  EXPECT_FALSE(store.list("k", "r"));
  EXPECT_TRUE(store.problem());
}

TEST_F(StoreTest, AFolderThatIsNoFolderIsTold) {
  std::ofstream(folder / "file") << "x";
  Store store(folder / "file" / "craton.db");
  expect_failed(store.put(key, "1"));
}

TEST_F(StoreTest, AFolderThatCannotBeWrittenIsTold) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
  Store store(file());
  expect_failed(store.put(key, "1"));
}

TEST_F(StoreTest, AFullDiskIsToldAndWhatWasThereStays) {
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr rlim_t room = 200'000;
    const rlimit limit{room, room};
    ::signal(SIGXFSZ, SIG_IGN);
    Store store(file());
    const bool small = store.put(key, "1").has_value() && ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
    const bool large = store.put({"k", "r", "large"}, std::string(2 * room, 'x')).has_value();
    ::_exit(small && !large && got(store, key) == "1" ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  Store store(file());
  EXPECT_EQ(got(store, key), "1");
}

}  // namespace
}  // namespace craton::store
