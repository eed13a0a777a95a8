// InvocationLog: writes records of model calls to where a Region's logging configuration says.
//
//   an answer is over ── queue ──► one thread ── records, gzip ──►
//   <folder>/<bucket>/<prefix>/AWSLogs/
//
// Calls never wait for it nor fail with it: past a bound of waiting calls the next are not logged,
// which is counted and told in the log once a second. Calls that wait together share a file, a
// record a line.
//
// Threads: any function may be called from any thread. Going, it writes what waits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "service/interaction.h"
#include "service/invocation_record.h"
#include "store/objects.h"
#include "store/store.h"

namespace craton::service {

/// Where the configuration of a Region is in the store.
store::Key logging_key(std::string_view region);

class InvocationLog {
 public:
  /// `folder` stands for S3; empty: nothing is written.
  InvocationLog(std::shared_ptr<store::Store> store, std::filesystem::path folder);
  ~InvocationLog();

  /// Whether a call of that operation is to be given to saw().
  bool wants(std::string_view operation, std::string_view region);

  /// A call whose answer is over.
  void saw(std::shared_ptr<const Interaction> interaction);

  /// The configuration of that Region is read again. Others that share the store see a change
  /// within a second.
  void changed(std::string_view region);

  /// Calls that should have been logged and were not.
  std::uint64_t lost() const { return lost_; }

 private:
  struct Target {
    std::string bucket;
    std::string key_prefix;
    LoggedData data;
  };
  struct Looked {
    std::shared_ptr<const Target> target;  ///< Null: nothing is to be written.
    SteadyTime again;                      ///< When the store is asked next.
  };
  struct Waiting {
    std::shared_ptr<const Interaction> interaction;
    std::shared_ptr<const Target> target;
  };

  static std::shared_ptr<const Target> read_target(const std::string& configuration);
  std::shared_ptr<const Target> target_of(std::string_view region);
  void run();
  void write(std::deque<Waiting> batch);
  void put(const Target& target, std::string_view key, std::string_view bytes,
           std::uint64_t records);
  void lose(std::uint64_t records, std::string_view reason);

  const std::shared_ptr<store::Store> store_;
  const bool on_;
  const store::Objects objects_;
  std::atomic<std::uint64_t> lost_ = 0;

  std::mutex targets_mutex_;  // guards what follows
  std::map<std::string, Looked, std::less<>> targets_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Waiting> queue_;
  std::size_t queued_bytes_ = 0;
  SteadyTime told_{};  ///< When a loss was last told.
  bool stopping_ = false;
  std::thread writer_;  ///< Started with the first call.
};

}  // namespace craton::service
