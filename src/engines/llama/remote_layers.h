// Layers of a model that other machines compute, by llama.cpp's RPC backend.
//
// Its protocol is neither encrypted nor guarded: for a network of one's own. It ends the process
// when a machine is lost while it computes; what can be found out before, reach() finds out.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

struct ggml_backend_device;

namespace craton::engines::llama {

/// What each of the machines ("host:port") computes on, after those of this one. Fails with
/// `model_error`, saying which machine and why, when one does not answer or speaks another version.
Result<std::vector<ggml_backend_device*>> reach(const std::vector<std::string>& machines);

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
