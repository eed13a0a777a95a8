// ChunkWriter: a family's streamed pieces as the event stream of InvokeModelWithResponseStream.
//
// Each piece is a `chunk` event, base64 in JSON. The last carries what Bedrock adds to every
// provider's stream:
//
//   "amazon-bedrock-invocationMetrics":{"inputTokenCount":16,"outputTokenCount":21,
//                                       "invocationLatency":738,"firstByteLatency":378}
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "families/family.h"
#include "service/event_body.h"

namespace craton::service {

class ChunkWriter : public EventWriter {
 public:
  /// `started`: when the call began; latencies are counted from there.
  ChunkWriter(const families::Family& family, const families::ModelContext& model,
              std::shared_ptr<const families::NativeRequest> request, std::string request_id,
              SteadyTime started);

  void write(const Event& event, int generation, std::string& out) override;

 private:
  void note_time();
  void append(std::string_view piece, std::string& out);
  void add_metrics(std::string& piece) const;

  const families::Family& family_;
  const families::ModelContext model_;
  const std::shared_ptr<const families::NativeRequest> request_;
  const std::string request_id_;
  const SteadyTime started_;
  const std::unique_ptr<families::StreamWriter> pieces_of_;
  std::optional<Milliseconds> first_byte_;
  Usage usage_;
  std::vector<std::string> pieces_;  // of one event; kept for its memory
};

}  // namespace craton::service
