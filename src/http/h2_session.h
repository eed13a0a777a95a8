// The server's end of an HTTP/2 connection (RFC 9113): bytes in, requests out; answers in, bytes
// out. Over nghttp2, which this wraps.
//
//   feed() ─► next_event() ─► request, refused, gone
//   respond(), give(), finish(), reset() ─► fill() ─► bytes ─► take_hungry(): streams to give() to
//
// What clients could flood it with is bounded: see docs/http.md. A client's GOAWAY ends nothing:
// its open streams are served to their end.
//
// No I/O, no clock: every call that needs the time is told it. Distinct sessions may be used from
// distinct threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/message.h"
#include "http/request_reader.h"

namespace craton::http {

using StreamId = std::int32_t;

struct H2Limits {
  ReaderLimits request;                      ///< The same as HTTP/1.1's.
  std::uint32_t streams_max = 256;           ///< Open at once; more are REFUSED_STREAM.
  std::chrono::milliseconds header_timeout;  ///< For one header block.
  std::chrono::milliseconds body_timeout;    ///< Between two pieces of a body.
  std::chrono::milliseconds idle_timeout;    ///< Without an open stream; a PING is no stream.
  std::chrono::milliseconds write_timeout;   ///< Of a stream whose window the client keeps shut.
};

struct H2Event {
  enum class Kind {
    request,  ///< A whole request; to be answered by respond() or reset().
    refused,  ///< A request that will not be read on; to be answered by respond().
    gone,     ///< The stream is closed: nobody waits for its answer.
  };
  Kind kind;
  StreamId stream;
  Request request = {};  ///< Without `peer`. Headers include `:authority`, and `host` always.
  Refusal refusal = {};
};

enum class H2Reset : std::uint32_t { internal_error = 2, refused_stream = 7, cancel = 8 };

class H2Session {
 public:
  H2Session(const H2Limits& limits, SteadyTime now);
  ~H2Session();
  H2Session(const H2Session&) = delete;
  H2Session& operator=(const H2Session&) = delete;

  /// Takes in bytes from the wire, the client's preface first. What is wrong with them shows in
  /// what fill() gives, and done().
  void feed(std::string_view bytes, SteadyTime now);

  /// What has happened on the streams, in its order; nullopt when there is no more.
  std::optional<H2Event> next_event();

  /// Begins the answer on an open stream: its head, with `date`, and its body, unless that is a
  /// stream. True when that is to follow, by give() and finish(); `response.stream` is left alone.
  /// Does nothing when the HTTP/2 stream is gone; so do the next three.
  bool respond(StreamId stream, Response& response, std::string_view date);

  /// The next bytes of a streamed body. Only once take_hungry() has named the stream.
  void give(StreamId stream, std::string piece);

  /// Ends a streamed body.
  void finish(StreamId stream);

  /// Ends the stream before its time.
  void reset(StreamId stream, H2Reset code);

  /// Appends bytes for the wire to `out`, some 64 KiB at most.
  void fill(std::string& out, SteadyTime now);

  /// Streamed answers that all bytes so far have gone out of. Each is named once for its head and
  /// once for each piece.
  std::vector<StreamId> take_hungry();

  /// Ends what is too late. Call now and then.
  void expire(SteadyTime now);

  /// Says goodbye: requests that are on their way already are still read, and all are answered.
  void shut_down(SteadyTime now);

  /// True when the connection is to be closed once fill() gives no more.
  bool done() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace craton::http
