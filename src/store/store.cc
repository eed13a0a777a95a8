#include "store/store.h"

#include <fcntl.h>
#include <sqlite3.h>

#include <utility>

#include "base/descriptor.h"
#include "base/log.h"
#include "store/connection.h"

namespace craton::store {
namespace {

/// Leaves a statement ready for its next use, whatever happens meanwhile.
class Use {
 public:
  explicit Use(SQLite::Statement& statement) : statement_(statement) {}
  ~Use() {
    statement_.tryReset();
    try {
      statement_.clearBindings();
    } catch (const SQLite::Exception&) {  // a connection that failed: it is not used again
    }
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  SQLite::Statement* operator->() const { return &statement_; }

  void bind(std::initializer_list<std::string_view> texts) const {
    int index = 0;
    for (const std::string_view text : texts) statement_.bind(++index, std::string(text));
  }

 private:
  SQLite::Statement& statement_;
};

/// What the operator can do about a failure of SQLite's.
std::string cure_of(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "The file is damaged: move it away, or restore it, and name another with --store";
    case SQLITE_FULL: return "The disk is full: free some space";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return "Let this user write to the file and its folder, or name another with --store";
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "Another program has held the file for too long: find and end it";
    default: return "See whether the disk is well, or name another file with --store";
  }
}

/// Only its owner may read what callers keep; SQLite gives its other files the same mode.
void make_private(const std::filesystem::path& file) {
  std::error_code ignored;  // what cannot be made cannot be opened, which says more
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), ignored);
  const Descriptor made(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

std::unique_ptr<Connection> open(const std::filesystem::path& file,
                                 std::chrono::milliseconds busy_wait) {
  if (file.empty()) return std::make_unique<Connection>(":memory:", busy_wait);
  make_private(file);
  return std::make_unique<Connection>(file.string(), busy_wait);
}

Error failed() {
  return {ErrorCode::internal_server,
          "This server cannot reach its store of resources at the moment. Its log says why."};
}

}  // namespace

std::optional<std::string> Session::get(const Key& key) {
  const Use select(connection_.select);
  select.bind({key.kind, key.region, key.id});
  if (!select->executeStep()) return std::nullopt;
  return select->getColumn(0).getString();
}

void Session::put(const Key& key, std::string_view json) {
  const Use upsert(connection_.upsert);
  upsert.bind({key.kind, key.region, key.id, json});
  upsert->exec();
}

bool Session::insert(const Key& key, std::string_view json) {
  const Use insert(connection_.insert);
  insert.bind({key.kind, key.region, key.id, json});
  return insert->exec() > 0;
}

bool Session::erase(const Key& key) {
  const Use remove(connection_.remove);
  remove.bind({key.kind, key.region, key.id});
  return remove->exec() > 0;
}

std::vector<Document> Session::list(std::string_view kind, std::string_view region) {
  const Use list(connection_.list);
  list.bind({kind, region});
  std::vector<Document> documents;
  while (list->executeStep()) {
    documents.push_back({list->getColumn(0).getString(), list->getColumn(1).getString()});
  }
  return documents;
}

Store::Store(std::filesystem::path file, std::chrono::milliseconds busy_wait)
    : file_(std::move(file)), busy_wait_(busy_wait) {}

Store::~Store() = default;

std::unique_ptr<Store> Store::in_memory() {
  return std::make_unique<Store>(std::filesystem::path());
}

bool Store::exists() const {
  std::error_code error;
  return file_.empty() || std::filesystem::exists(file_, error) || error;
}

/// Runs `work` on the open file. A failed connection is given up, so that the next call begins
/// anew; but for memory, which would be lost.
template <class Value, class Work>
Result<Value> Store::guarded(const Work& work) {
  const std::lock_guard lock(mutex_);
  std::string reason;
  try {
    if (!connection_) connection_ = open(file_, busy_wait_);
    Session session(*connection_);
    return work(session);
  } catch (const Unusable& error) {
    reason = error.what();
  } catch (const SQLite::Exception& error) {
    reason = std::string(error.what()) + ". " + cure_of(error.getErrorCode());
  }
  log::error("store_failed", {{"file", file_.native()}, {"reason", reason}});
  if (!file_.empty()) connection_.reset();
  return failed();
}

Result<std::optional<std::string>> Store::get(const Key& key) {
  using Found = std::optional<std::string>;
  if (!exists()) return Found();
  return guarded<Found>([&](Session& session) { return Result<Found>(session.get(key)); });
}

Result<void> Store::put(const Key& key, std::string_view json) {
  return guarded<void>([&](Session& session) {
    session.put(key, json);
    return Result<void>();
  });
}

Result<bool> Store::insert(const Key& key, std::string_view json) {
  return guarded<bool>([&](Session& session) { return Result<bool>(session.insert(key, json)); });
}

Result<bool> Store::erase(const Key& key) {
  if (!exists()) return false;
  return guarded<bool>([&](Session& session) { return Result<bool>(session.erase(key)); });
}

Result<std::vector<Document>> Store::list(std::string_view kind, std::string_view region) {
  using Listed = std::vector<Document>;
  if (!exists()) return Listed();
  return guarded<Listed>(
      [&](Session& session) { return Result<Listed>(session.list(kind, region)); });
}

Result<void> Store::transact(const std::function<Result<void>(Session&)>& work) {
  return guarded<void>([&](Session& session) -> Result<void> {
    SQLite::Transaction transaction(connection_->database, SQLite::TransactionBehavior::IMMEDIATE);
    CRATON_TRY(work(session));  // an error leaves without commit, which undoes all
    transaction.commit();
    return {};
  });
}

std::optional<std::string> Store::problem() {
  if (file_.empty() || !exists()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  try {
    if (!connection_) connection_ = open(file_, busy_wait_);
    const std::string found = connection_->database.execAndGet("PRAGMA quick_check(1)").getString();
    if (found == "ok") return std::nullopt;
    return found + ". " + cure_of(SQLITE_CORRUPT);
  } catch (const Unusable& error) {
    return error.what();
  } catch (const SQLite::Exception& error) {
    return std::string(error.what()) + ". " + cure_of(error.getErrorCode());
  }
}

}  // namespace craton::store
