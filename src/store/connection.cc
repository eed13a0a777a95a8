#include "store/connection.h"

#include <sqlite3.h>

#include <thread>

namespace craton::store {
namespace {

/// "Crtn": in the file's header, so that no other program's database is taken for a store.
constexpr int application_id = 0x4372746e;

/// Raised by one when the tables change; what brings an older file up to date then goes here.
constexpr int schema_version = 1;

constexpr const char* schema = R"sql(
CREATE TABLE resources (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  kind     TEXT NOT NULL,
  region   TEXT NOT NULL,
  id       TEXT NOT NULL,
  document TEXT NOT NULL,
  UNIQUE (kind, region, id)
) STRICT;
)sql";

int number(SQLite::Database& database, const char* pragma) {
  return database.execAndGet(std::string("PRAGMA ") + pragma).getInt();
}

/// Whether the file has this program's tables; false when it has none at all.
bool is_made(SQLite::Database& database) {
  const int version = number(database, "user_version");
  const int id = number(database, "application_id");
  if (id == application_id && version > schema_version) {
    throw Unusable("a newer Craton wrote it (version " + std::to_string(version) +
                   " of its tables, this program knows " + std::to_string(schema_version) +
                   "). Serve with that program, or keep another file: --store FILE");
  }
  if (id == application_id && version == schema_version) return true;
  const bool empty = database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0;
  if (id != 0 || version != 0 || !empty) {
    throw Unusable("it is another program's database. Name a file of Craton's own: --store FILE");
  }
  return false;
}

/// Readers then never wait for a writer. Two servers that make one file at the same moment can be
/// refused here without SQLite's own wait.
void use_write_ahead_log(SQLite::Database& database) {
  constexpr int tries = 50;
  for (int i = 1;; ++i) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (const SQLite::Exception& error) {
      if ((error.getErrorCode() & 0xff) != SQLITE_BUSY || i == tries) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
}

/// The same, of one moment: another server may be making the tables.
bool is_made_at_once(SQLite::Database& database) {
  const SQLite::Transaction moment(database, SQLite::TransactionBehavior::DEFERRED);
  return is_made(database);
}

}  // namespace

Connection::Prepared::Prepared(SQLite::Database& database) {
  if (!is_made_at_once(database)) {
    use_write_ahead_log(database);
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    if (!is_made(database)) {  // another server may have been quicker
      database.exec(schema);
      database.exec("PRAGMA application_id = " + std::to_string(application_id));
      database.exec("PRAGMA user_version = " + std::to_string(schema_version));
    }
    transaction.commit();
  }
  // In a write-ahead log this survives the end of the process, by kill -9 too, as the system has
  // what was written; only a loss of power may take the last moments, and never the file's order.
  // It saves each write a wait for the disk, which an I/O thread must not have.
  database.exec("PRAGMA synchronous = NORMAL");
}

Connection::Connection(const std::string& file, std::chrono::milliseconds busy_wait)
    : database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX,
               static_cast<int>(busy_wait.count())),
      prepared_(database),
      select(database, "SELECT document FROM resources WHERE kind = ? AND region = ? AND id = ?"),
      upsert(database,
             "INSERT INTO resources (kind, region, id, document) VALUES (?, ?, ?, ?) "
             "ON CONFLICT DO UPDATE SET document = excluded.document"),
      insert(database,
             "INSERT INTO resources (kind, region, id, document) VALUES (?, ?, ?, ?) "
             "ON CONFLICT DO NOTHING"),
      remove(database, "DELETE FROM resources WHERE kind = ? AND region = ? AND id = ?"),
      list(database,
           "SELECT id, document FROM resources WHERE kind = ? AND region = ? ORDER BY sequence") {}

}  // namespace craton::store
