#include "store/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/log.h"
#include "store/store.h"

namespace craton::store {
namespace {

using testing::HasSubstr;

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() {
    log::set_level(log::Level::off);
    char name[] = "/tmp/craton-store-XXXXXX";
    folder = ::mkdtemp(name);
  }
  ~ConnectionTest() override { std::filesystem::remove_all(folder); }

  /// What a store says of the file once `statement` has been run on it.
  std::string problem_after(const std::string& statement) {
    const std::string file = folder / "craton.db";
    {
      SQLite::Database database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
      database.exec(statement);
    }
    Store store(file);
    EXPECT_FALSE(store.put({"k", "r", "i"}, "x"));
    return store.problem().value_or("");
  }

  std::filesystem::path folder;
};

TEST_F(ConnectionTest, AFileOfANewerProgramIsRefused) {
  {
    Connection made(folder / "craton.db", std::chrono::milliseconds(10));
  }
  EXPECT_THAT(problem_after("PRAGMA user_version = 2"), HasSubstr("a newer Craton"));
}

TEST_F(ConnectionTest, AnotherProgramsDatabaseIsLeftAlone) {
  EXPECT_THAT(problem_after("CREATE TABLE mine (a)"), HasSubstr("another program"));
}

TEST_F(ConnectionTest, AFileThatAnotherHoldsIsToldNotWaitedForForEver) {
  const std::string file = folder / "craton.db";
  Connection holder(file, std::chrono::milliseconds(10));
  SQLite::Transaction held(holder.database, SQLite::TransactionBehavior::IMMEDIATE);
  Store store(file, std::chrono::milliseconds(20));
  EXPECT_FALSE(store.put({"k", "r", "i"}, "x"));
  held.commit();
  EXPECT_TRUE(store.put({"k", "r", "i"}, "x"));
}

}  // namespace
}  // namespace craton::store
