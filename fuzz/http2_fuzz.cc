// A session must read the same from the same bytes however they are cut, and must bear any client
// while it answers it in every way there is.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "http/body_stream.h"
#include "http/h2_session.h"

namespace {

using namespace std::chrono_literals;
using craton::http::H2Event;
using craton::http::H2Limits;
using craton::http::H2Reset;
using craton::http::H2Session;
using craton::http::Response;
using craton::http::StreamId;

constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

H2Limits small_limits() {
  H2Limits limits;
  limits.request = {.header_bytes_max = 512, .body_bytes_max = 256};
  limits.streams_max = 8;
  limits.header_timeout = limits.body_timeout = limits.idle_timeout = limits.write_timeout = 1s;
  return limits;
}

std::string events_of(std::string_view bytes, std::size_t piece) {
  H2Session session(small_limits(), {});
  std::string out;
  while (!bytes.empty()) {
    session.feed(bytes.substr(0, piece), {});
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (const auto event = session.next_event()) {
      out += std::to_string(event->stream) + "tfg"[static_cast<int>(event->kind)];
      out += event->request.method + '\n' + event->request.target + '\n' + event->request.body;
      for (const auto& field : event->request.headers) {
        out += '\n' + field.name + ':' + field.value;
      }
      out += event->refusal.reason;
    }
  }
  return out;
}

struct NoBytes : craton::http::BodyStream {
  boost::asio::awaitable<std::optional<std::string>> next() override { co_return std::nullopt; }
};

/// Answers one way or another, as the stream's number says.
void answer(H2Session& session, const H2Event& event) {
  if (event.kind == H2Event::Kind::gone) return;
  Response response;
  response.body = std::string(event.stream % 5 == 0 ? 100'000 : 10, 'b');
  if (event.stream % 3 == 0) response.stream = std::make_unique<NoBytes>();
  if (event.stream % 7 == 0) session.reset(event.stream, H2Reset::internal_error);
  session.respond(event.stream, response, "today");
}

void live_through(std::string_view bytes) {
  craton::SteadyTime now{};
  H2Session session(small_limits(), now);
  std::map<StreamId, int> pieces;
  for (int turn = 0; !bytes.empty() && !session.done(); ++turn) {
    const std::size_t piece = 1 + static_cast<unsigned char>(bytes.front()) % 64;
    session.feed(bytes.substr(0, piece), now);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (const auto event = session.next_event()) answer(session, *event);
    if (turn % 16 == 7) session.expire(now += 300ms);
    if (turn == 40) session.shut_down(now);
    std::string out;
    session.fill(out, now);
    for (const StreamId stream : session.take_hungry()) {
      if (++pieces[stream] > 3)
        session.finish(stream);
      else
        session.give(stream, std::string(1000, 'p'));
    }
  }
  session.expire(now + 1h);
  std::string out;
  session.fill(out, now + 1h);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string bytes =
      input.starts_with("PRI") ? std::string(input) : std::string(preface).append(input);
  const std::string whole = events_of(bytes, bytes.size());
  if (events_of(bytes, 1) != whole) std::abort();
  live_through(bytes);
  return 0;
}
