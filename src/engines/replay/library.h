// Library: recorded interactions in use: which of them answers which request.
//
// The n-th request that is the same gets the n-th that was recorded of it; past the last, the last.
//
// Threads: any function may be called from any thread.
#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engines/engine.h"
#include "engines/replay/cassette.h"
#include "engines/request.h"
#include "engines/rules/json_path.h"
#include "engines/script/pacer.h"

namespace craton::engines::replay {

struct LibraryOptions {
  std::filesystem::path folder;
  double pace = 0;  ///< Of what was recorded: 1 as it was, 2 in half the time, 0 at once.
  std::vector<rules::JsonPath> ignored = {};  ///< Of requests: paths that do not matter.
};

class Library : public std::enable_shared_from_this<Library> {
 public:
  /// Reads all cassettes of the folder. Fails with `validation`: file, line and what is wrong.
  static Result<std::shared_ptr<Library>> open(LibraryOptions options);

  /// An engine that gives what was recorded of this request; null when nothing was.
  std::shared_ptr<Engine> claim(const Request& request);

  /// Why nothing does: what of the nearest recorded request differs.
  std::string why_none(const Request& request) const;

  /// Begins to count calls anew.
  void reset();

  std::size_t size() const { return interactions_; }
  const std::filesystem::path& folder() const { return options_.folder; }

 private:
  struct Recorded {
    json::value request;
    std::vector<Interaction> interactions;
    std::size_t next = 0;
  };
  class Replayer;

  explicit Library(LibraryOptions options) : options_(std::move(options)) {}
  const Interaction& take(const std::string& key);

  const LibraryOptions options_;
  std::size_t interactions_ = 0;
  std::mutex mutex_;  // guards Recorded::next
  std::map<std::string, Recorded> by_key_;
  script::Pacer pacer_;
};

}  // namespace craton::engines::replay
