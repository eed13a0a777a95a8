#include "service/chunk_writer.h"

#include <chrono>
#include <utility>

#include "base/ids.h"
#include "base/json.h"
#include "event_stream/bedrock_events.h"
#include "service/stream_errors.h"

namespace craton::service {

ChunkWriter::ChunkWriter(const families::Family& family, const families::ModelContext& model,
                         std::shared_ptr<const families::NativeRequest> request,
                         std::string request_id, SteadyTime started)
    : family_(family),
      model_(model),
      request_(std::move(request)),
      request_id_(std::move(request_id)),
      started_(started),
      pieces_of_(family.stream({model_, *request_, request_id_})) {}

void ChunkWriter::note_time() {
  if (first_byte_) return;
  first_byte_ =
      std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started_);
}

void ChunkWriter::add_metrics(std::string& piece) const {
  const auto latency =
      std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - started_);
  piece.pop_back();  // the brace
  piece += R"(,"amazon-bedrock-invocationMetrics":{"inputTokenCount":)" +
           std::to_string(usage_.input_tokens) +
           ",\"outputTokenCount\":" + std::to_string(usage_.output_tokens) +
           ",\"invocationLatency\":" + std::to_string(latency.count()) +
           ",\"firstByteLatency\":" + std::to_string(first_byte_.value_or(latency).count());
  if (model_.prompt_caching) {
    piece += ",\"cacheReadInputTokenCount\":" + std::to_string(usage_.cache_read_tokens) +
             ",\"cacheWriteInputTokenCount\":" + std::to_string(usage_.cache_write_tokens);
  }
  piece += "}}";
}

void ChunkWriter::append(std::string_view piece, std::string& out) {
  const std::string_view padding = event_stream::padding(random_number());
  if (const auto framed = event_stream::append_chunk(piece, padding, out); !framed) {
    append_stream_error(framed.error(), StreamOperation::invoke_model, out);
  }
}

void ChunkWriter::write(const Event& event, int generation, std::string& out) {
  if (const auto* failure = std::get_if<Failure>(&event)) {
    const Error error =
        failure->input_too_long ? family_.too_long(*failure->input_too_long) : failure->error;
    return append_stream_error(error, StreamOperation::invoke_model, out);
  }
  pieces_.clear();
  pieces_of_->write(event, generation, pieces_);
  if (const auto* usage = std::get_if<Usage>(&event)) {
    const int output_tokens = usage_.output_tokens + usage->output_tokens;
    usage_ = *usage;
    usage_.output_tokens = output_tokens;
    if (generation + 1 == request_->generations && !pieces_.empty()) add_metrics(pieces_.back());
  }
  if (pieces_.empty()) return;
  note_time();
  for (const std::string& piece : pieces_) append(piece, out);
}

}  // namespace craton::service
