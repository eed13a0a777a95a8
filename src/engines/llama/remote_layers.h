// Layers of a model that other machines compute, by llama.cpp's RPC backend.
//
// Its protocol is neither encrypted nor guarded: for a network of one's own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

struct ggml_backend_device;

namespace craton::engines::llama {

class Machines {
 public:
  /// No machine beside this one.
  Machines() = default;

  /// Those with these names ("host:port"). Fails with `model_error`, saying which machine and why,
  /// when one does not answer or speaks another version.
  static Result<Machines> reach(const std::vector<std::string>& names);

  bool empty() const { return reached_.empty(); }

  /// What they compute on, after what this one does.
  std::vector<ggml_backend_device*> devices() const { return devices_; }

  /// The name of one that was lost since it was reached: what was computed since is not what was
  /// asked for. Empty: none was.
  std::string lost() const;

 private:
  struct Reached {
    std::string name;
    std::uint64_t losses;  ///< How often it had been lost before.
  };
  std::vector<Reached> reached_;
  std::vector<ggml_backend_device*> devices_;
};

struct WorkerOptions {
  std::string host = "127.0.0.1";
  int port = 50052;
  int threads = 0;    ///< That compute; 0: one per physical core.
  std::string cache;  ///< Folder of weights that were sent once; empty: none are kept.
};

/// Computes layers for one server at a time, until the process ends; returns what kept it from
/// that.
std::string work(const WorkerOptions& options);

}  // namespace craton::engines::llama
