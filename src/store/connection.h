// Connection: an open file of the store, its schema and its statements.
//
// Throws SQLite::Exception, and Unusable for a file that another program made. Not thread-safe.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace craton::store {

/// Why a file cannot be the store; the text says what to do.
struct Unusable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Connection {
 public:
  /// Opens `file`, making it and its tables where they are missing; ":memory:" for none.
  Connection(const std::string& file, std::chrono::milliseconds busy_wait);

  SQLite::Database database;

 private:
  /// Before the statements, which need its tables.
  struct Prepared {
    explicit Prepared(SQLite::Database& database);
  } prepared_;

 public:
  SQLite::Statement select;
  SQLite::Statement upsert;
  SQLite::Statement insert;
  SQLite::Statement remove;
  SQLite::Statement list;
};

}  // namespace craton::store
