// Recorder: writes what is asked and answered to a folder of cassettes.
//
// An interaction is one write to the end of a file, so that several servers may record to one
// folder. What cannot be written (a full disk) ends the recording, with a line in the log, and no
// call.
//
// Threads: any function may be called from any thread.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "engines/replay/cassette.h"
#include "engines/rules/json_path.h"

namespace craton::engines::replay {

class Recorder : public std::enable_shared_from_this<Recorder> {
 public:
  /// Makes the folder where it is missing. Fails with `validation` when it cannot be written to.
  static Result<std::shared_ptr<Recorder>> open(const std::filesystem::path& folder,
                                                std::vector<rules::JsonPath> ignored);

  /// One answer as it is given, event by event; written when it is whole.
  class Take {
   public:
    Take(std::shared_ptr<Recorder> recorder, Interaction begun, SteadyTime start)
        : recorder_(std::move(recorder)), interaction_(std::move(begun)), start_(start) {}

    void note(const Event& event);

    /// Of a native call: the whole answer.
    void note(const NativeReply& reply);

   private:
    std::shared_ptr<Recorder> recorder_;
    Interaction interaction_;
    SteadyTime start_;
  };

  /// Who asks whom.
  struct Asked {
    std::string_view operation;
    std::string_view model_id;
    std::string_view engine;
    std::string_view engine_model;
  };
  /// `conversation`: as it came, its documents unread.
  Take begin(const Conversation& conversation, const Asked& asked);
  Take begin(const NativeCall& native, const Asked& asked);

 private:
  Recorder(int file, std::filesystem::path path, std::vector<rules::JsonPath> ignored)
      : file_(file), path_(std::move(path)), ignored_(std::move(ignored)) {}
  Take begin(std::string request, const Asked& asked);
  void write(const Interaction& interaction);

  const Descriptor file_;
  const std::filesystem::path path_;
  const std::vector<rules::JsonPath> ignored_;
  std::atomic<bool> failed_ = false;
};

}  // namespace craton::engines::replay
