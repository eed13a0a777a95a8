// Store: the resources that callers have made, kept in one SQLite file.
//
//   (kind, region, id) ──► JSON text          ("agreement", "us-east-1", "cohere.command-r-v1:0")
//
// What a write has acknowledged survives the end of the process, however it ends. Several servers
// may share a file. The file is made at the first write; reading where there is none finds nothing.
//
// Any failure of the file (damaged, of a newer program, a full disk, a folder that cannot be
// written) is told the caller as `internal_server` without particulars, and the operator in the
// log with the cure; the next call tries again.
//
// Threads: any function may be called from any thread. Calls block, for some ten microseconds when
// nothing else writes to the file: short enough for an I/O thread. The one that makes the file
// waits for the disk, once.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace craton::store {

/// What names a document. Views: of a call's length.
struct Key {
  std::string_view kind;    ///< Of resource: "agreement"
  std::string_view region;  ///< Empty for what belongs to no Region.
  std::string_view id;
};

struct Document {
  std::string id;
  std::string json;
};

class Connection;  // connection.h

/// The documents, within a transaction.
class Session {
 public:
  explicit Session(Connection& connection) : connection_(connection) {}

  std::optional<std::string> get(const Key& key);
  /// Makes the document or replaces it; one that is replaced keeps its place in list().
  void put(const Key& key, std::string_view json);
  /// False, changing nothing, when there is one already.
  bool insert(const Key& key, std::string_view json);
  /// False when there was none.
  bool erase(const Key& key);
  /// In the order in which they were made.
  std::vector<Document> list(std::string_view kind, std::string_view region);

 private:
  Connection& connection_;
};

class Store {
 public:
  /// Opens nothing yet. `busy_wait`: how long a write waits for another server's.
  explicit Store(std::filesystem::path file,
                 std::chrono::milliseconds busy_wait = std::chrono::milliseconds(1000));
  /// A store that ends with the program.
  static std::unique_ptr<Store> in_memory();
  ~Store();

  // As Session's, each by itself; fail with `internal_server`.
  Result<std::optional<std::string>> get(const Key& key);
  Result<void> put(const Key& key, std::string_view json);
  Result<bool> insert(const Key& key, std::string_view json);
  Result<bool> erase(const Key& key);
  Result<std::vector<Document>> list(std::string_view kind, std::string_view region);

  /// All that `work` does, or nothing when it returns an error, which is passed on. No other
  /// server writes meanwhile: keep it short, and call nothing else of this store.
  Result<void> transact(const std::function<Result<void>(Session&)>& work);

  /// What is wrong with the file, with the cure; nullopt when it is well or not there yet.
  std::optional<std::string> problem();

 private:
  /// Whether the file is there to be read.
  bool exists() const;
  template <class Value, class Work>
  Result<Value> guarded(const Work& work);

  const std::filesystem::path file_;  ///< Empty: in memory.
  const std::chrono::milliseconds busy_wait_;
  std::mutex mutex_;  // guards what follows
  std::unique_ptr<Connection> connection_;
};

}  // namespace craton::store
