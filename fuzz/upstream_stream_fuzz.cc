// Streams of upstream servers: any cut gives the same events, and what was read folds into an
// answer whose text is UTF-8. The same bytes as a whole answer, vectors, ranks, models and
// refusals.
//
// Input: one byte, the size of a piece; the bytes of the stream.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "conversation/event.h"
#include "engines/upstream/chat_chunks.h"
#include "engines/upstream/cluster.h"
#include "engines/upstream/sse.h"
#include "engines/upstream/upstream_error.h"
#include "engines/upstream/vectors.h"

using namespace craton;
using namespace craton::engines::upstream;

namespace {

std::vector<ServerSentEvent> cut(std::string_view bytes, std::size_t piece) {
  EventParser parser(4096);
  std::vector<ServerSentEvent> events;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    if (!parser.feed(bytes.substr(at, piece), events)) return events;
  }
  parser.finish(events);
  return events;
}

void fold(const std::vector<ServerSentEvent>& pieces) {
  ChunkReader reader({.thoughts_shown = true});
  std::vector<Event> events;
  for (const ServerSentEvent& piece : pieces) {
    if (!reader.read(piece, events)) return;
  }
  if (!reader.finish(events)) return;
  AnswerBuilder builder;
  for (Event& event : events) {
    if (builder.complete()) std::abort();
    builder.add(std::move(event));
  }
  if (!builder.complete()) std::abort();
  const auto answer = builder.take();
  if (mended_utf8(answer->text()) != answer->text()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t piece = 1 + static_cast<unsigned char>(input[0]) % 16;
  input.remove_prefix(1);
  const std::vector<ServerSentEvent> events = cut(input, piece);
  if (events != cut(input, input.size() + 1)) std::abort();
  fold(events);
  std::vector<Event> whole;
  ChunkReader reader;
  if (reader.read_whole(input, whole)) (void)reader.finish(whole);
  (void)vectors_in(input, 1);
  (void)ranks_in(input, 1, unknown_server);
  (void)served_in(input, "m");
  for (const int status : {400, 500}) (void)refusal_of(status, input);
  return 0;
}
