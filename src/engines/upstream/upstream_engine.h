// The engine that asks others: servers that speak OpenAI's API, one or many replicas of one model.
//
//   generate() ──► AnswerCall ──► Balancer ──► a replica's /v1/chat/completions, streamed
//   embed() ─────► JsonCall ────► …            /v1/embeddings, /v1/rerank
//   Prober ──────► every replica's /health
//
// docs/scale-out.md has the whole. Threads: as Engine; one carries all transfers, one probes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engines/engine.h"
#include "engines/upstream/cluster.h"

namespace craton::engines::upstream {

struct UpstreamOptions {
  ClusterOptions cluster = {};
  std::string authority_file = {};  ///< PEM file of who is trusted; empty: whom the system trusts.
};

/// A replica's address as it is used: http or https, a host, perhaps a port and a path; without a
/// trailing "/" or "/v1", with which OpenAI's clients name it.
/// Fails with `validation`; the message says what was expected.
Result<std::string> replica_url(std::string_view text);

std::unique_ptr<Engine> make_upstream_engine(UpstreamOptions options);

/// What a replica says when it is asked how it is. Blocks, for seconds at most.
struct ReplicaCheck {
  std::string url;
  std::string problem;  ///< Empty: it is well.
  std::string server;   ///< "vllm"
  std::string model;    ///< That it will be asked for.
};
std::vector<ReplicaCheck> check_replicas(const UpstreamOptions& options);

}  // namespace craton::engines::upstream
