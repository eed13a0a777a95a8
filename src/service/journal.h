// Journal: the latest requests and their answers, for those who test a program and want to see what
// it really sent. In memory, bounded in number and bytes; the oldest go first.
//
// Threads: any function may be called from any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "service/interaction.h"

namespace craton::service {

class Journal {
 public:
  /// Of one request, and of one answer; what is longer is cut.
  static constexpr std::size_t kept_bytes_max = 1024 * 1024;
  /// Of all together.
  static constexpr std::size_t bytes_max = 64 * 1024 * 1024;

  /// `entries_max`: 0 keeps nothing.
  explicit Journal(std::size_t entries_max) : entries_max_(entries_max) {}

  bool on() const { return entries_max_ > 0; }

  /// A request whose answer is over. Nobody changes it any more.
  void saw(std::shared_ptr<const Interaction> interaction);

  struct Filter {
    std::string_view operation = {};
    std::string_view model = {};   ///< Part of the id that was asked for.
    std::string_view engine = {};  ///< "llama"
    std::optional<int> status = std::nullopt;
    /// Since 1970; a WallTime holds no year past 2262, which may well be asked for.
    std::optional<std::chrono::seconds> since = std::nullopt;
    std::size_t limit = 100;
  };

  /// Those that fit, the newest first.
  std::vector<std::shared_ptr<const Interaction>> list(const Filter& filter) const;

  /// The one of that id; null when it is not there (any more).
  std::shared_ptr<const Interaction> find(std::string_view request_id) const;

  void clear();

 private:
  struct Entry {
    std::shared_ptr<const Interaction> interaction;
    std::size_t bytes;
  };

  const std::size_t entries_max_;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<Entry> entries_;
  std::size_t bytes_ = 0;
};

/// What a listing tells of one: `{"id":…,"time":…,"operation":…,"status":…,…}`.
std::string summary_text(const Interaction& interaction);

/// All of it: the summary, the request's fields (those that hold credentials left out) and body,
/// the answer's body or its events with their times.
std::string whole_text(const Interaction& interaction);

}  // namespace craton::service
