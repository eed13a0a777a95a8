#include "http/h2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <deque>
#include <new>
#include <span>
#include <unordered_map>
#include <utility>

#include "http/body_pace.h"
#include "http/body_stream.h"
#include "http/h2_head.h"
#include "http/rate_limit.h"
#include "http/response_head.h"

namespace craton::http {
namespace {

using std::chrono::milliseconds;

// Room for request bodies: of one stream before the first WINDOW_UPDATE, and of all together.
constexpr std::uint32_t stream_window = 1024 * 1024;
constexpr std::int32_t connection_window = 4 * 1024 * 1024;

// Bodies of one connection that are in memory at once, in largest bodies. More are REFUSED_STREAM.
constexpr std::size_t largest_bodies_max = 8;

// A header block that is this many times too large ends the connection: reading on, to answer 431,
// costs more than the answer is worth.
constexpr std::size_t header_excess_max = 4;

// What a connection may hand to the wire at a time.
constexpr std::size_t fill_bytes = 64 * 1024;

// Streams that are broken off by the client, or for its mistakes: each costs a handler begun in
// vain. A program that gives up on everything it has in flight stays well below.
constexpr RateLimit::Rate broken_streams{500, 30};

// Frames that ask for work and bring nothing: PING, SETTINGS, PRIORITY, empty DATA. The
// busiest honest client (a PING every 5 s) stays far below.
constexpr RateLimit::Rate idle_frames{1000, 100};

// How long a client may take to hear a goodbye before its new requests are no longer taken.
constexpr milliseconds goodbye_time{1000};

constexpr std::array<std::uint8_t, 8> goodbye_ping{'g', 'o', 'o', 'd', ' ', 'b', 'y', 'e'};

// CONTINUATION frames of one header block. The largest headers come in a few.
constexpr int continuations_max = 16;

// NGHTTP2_ERR_TOO_MANY_CONTINUATIONS, which the headers of older releases with that bound lack.
constexpr int too_many_continuations = -905;

struct DeleteSession {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};
struct DeleteCallbacks {
  void operator()(nghttp2_session_callbacks* callbacks) const {
    nghttp2_session_callbacks_del(callbacks);
  }
};
struct DeleteOption {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};
using Session = std::unique_ptr<nghttp2_session, DeleteSession>;
using Callbacks = std::unique_ptr<nghttp2_session_callbacks, DeleteCallbacks>;
using Option = std::unique_ptr<nghttp2_option, DeleteOption>;

std::string_view view_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

std::uint8_t* bytes_of(const std::string& text) {  // nghttp2 copies, and never writes
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

std::vector<nghttp2_nv> name_values(const std::vector<Header>& fields) {
  std::vector<nghttp2_nv> list;
  list.reserve(fields.size());
  for (const Header& field : fields) {
    list.push_back({bytes_of(field.name), bytes_of(field.value), field.name.size(),
                    field.value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return list;
}

bool is_idle_frame(const nghttp2_frame_hd& frame) {
  switch (frame.type) {
    case NGHTTP2_PING:
    case NGHTTP2_SETTINGS: return (frame.flags & NGHTTP2_FLAG_ACK) == 0;
    case NGHTTP2_PRIORITY: return true;
    case NGHTTP2_DATA: return frame.length == 0 && (frame.flags & NGHTTP2_FLAG_END_STREAM) == 0;
    default: return false;
  }
}

// A connection that cannot go on still says why. Written by hand: after an error in its callbacks
// nghttp2 promises nothing.
void append_goaway(StreamId last_stream, std::uint32_t code, std::string& out) {
  const auto append = [&out](std::uint32_t number, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
      out += static_cast<char>(number >> shift);
    }
  };
  append(8, 3);  // length
  append(NGHTTP2_GOAWAY, 1);
  append(0, 1);  // flags
  append(0, 4);  // stream
  append(static_cast<std::uint32_t>(last_stream), 4);
  append(code, 4);
}

struct Stream {
  explicit Stream(const ReaderLimits& limits) : head(limits) {}

  // The request.
  H2RequestHead head;
  Request request;
  bool head_only = false;
  std::size_t body_bytes = 0;
  bool body_expected = false;  // between its head and its end
  BodySoFar body;
  bool told = false;     // the event that is to be answered was queued
  bool no_more = false;  // what the client still sends is dropped
  bool whole = false;    // END_STREAM came

  // The answer.
  bool answered = false;
  Response response;                 // its body, when that is not streamed
  std::optional<std::string> piece;  // of a streamed one
  bool streamed = false;
  bool finished = false;  // no more bytes will come
  bool hungry = false;    // take_hungry() names it, or did so last
  std::size_t sent = 0;   // of the body or the piece
  SteadyTime progress;    // when bytes were last given or taken

  bool broken_by_us = false;

  std::string_view unsent() const {
    const std::string_view bytes = !streamed ? response.body_view()
                                   : piece   ? std::string_view(*piece)
                                             : std::string_view();
    return bytes.substr(sent);
  }
};

}  // namespace

struct H2Session::State {
  State(const H2Limits& with_limits, SteadyTime at)
      : limits(with_limits),
        now(at),
        idle_since(at),
        broken(broken_streams, at),
        idle(idle_frames, at) {}

  void open();
  void ended(int result);
  void append_output(std::string& out);

  // From nghttp2. Nonzero ends the session.
  int frame_begins(const nghttp2_frame_hd& frame);
  int headers_begin(const nghttp2_frame& frame);
  int header_came(const nghttp2_frame& frame, std::string_view name, std::string_view value);
  int frame_came(const nghttp2_frame& frame);
  int data_came(StreamId id, std::string_view bytes);
  int frame_sent(const nghttp2_frame& frame);
  int stream_closed(StreamId id);
  ssize_t read_body(StreamId id, std::span<std::uint8_t> room, std::uint32_t& flags);

  void head_came(StreamId id, Stream& stream, bool ends_stream);
  void request_came(StreamId id, Stream& stream);
  void refuse(StreamId id, Stream& stream, Refusal refusal);
  void reset(StreamId id, Stream& stream, std::uint32_t code);
  void go_on(StreamId id);
  int fail(std::uint32_t code);
  int count(RateLimit& rate) { return rate.take(now) ? 0 : fail(NGHTTP2_ENHANCE_YOUR_CALM); }
  void expire_stream(StreamId id, Stream& stream);
  void part();

  Stream* find(StreamId id) {
    const auto entry = streams.find(id);
    return entry == streams.end() ? nullptr : &entry->second;
  }

  H2Limits limits;
  SteadyTime now;
  Session session;
  std::unordered_map<StreamId, Stream> streams;
  std::deque<H2Event> events;
  std::vector<StreamId> hungry;
  std::size_t body_bytes = 0;  // of all streams

  SteadyTime idle_since;                  // when there was last a stream
  std::optional<SteadyTime> block_since;  // when the header block began that is not whole yet
  int continuations = 0;                  // of that block
  std::optional<SteadyTime> goodbye_since;
  bool parted = false;  // the last word was said

  RateLimit broken;
  RateLimit idle;

  std::string greeting;  // goes out first, whatever happens: a client expects it

  std::optional<std::uint32_t> failure;  // nghttp2 is not to be asked any more
  bool failure_told = false;
};

// Setting up.

void H2Session::State::open() {
  nghttp2_session_callbacks* new_callbacks = nullptr;
  if (nghttp2_session_callbacks_new(&new_callbacks) != 0) throw std::bad_alloc();
  const Callbacks callbacks(new_callbacks);
  nghttp2_session_callbacks_set_on_begin_frame_callback(
      new_callbacks, [](nghttp2_session*, const nghttp2_frame_hd* frame, void* state) {
        return static_cast<State*>(state)->frame_begins(*frame);
      });
  nghttp2_session_callbacks_set_on_begin_headers_callback(
      new_callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* state) {
        return static_cast<State*>(state)->headers_begin(*frame);
      });
  nghttp2_session_callbacks_set_on_header_callback(
      new_callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                        std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                        std::uint8_t, void* state) {
        return static_cast<State*>(state)->header_came(*frame, view_of(name, name_size),
                                                       view_of(value, value_size));
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      new_callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* state) {
        return static_cast<State*>(state)->frame_came(*frame);
      });
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(
      new_callbacks, [](nghttp2_session*, const nghttp2_frame*, int, void* state) {
        static_cast<State*>(state)->block_since.reset();
        return 0;
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      new_callbacks,
      [](nghttp2_session*, std::uint8_t, StreamId id, const std::uint8_t* bytes, std::size_t size,
         void* state) { return static_cast<State*>(state)->data_came(id, view_of(bytes, size)); });
  nghttp2_session_callbacks_set_on_frame_send_callback(
      new_callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* state) {
        return static_cast<State*>(state)->frame_sent(*frame);
      });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      new_callbacks, [](nghttp2_session*, StreamId id, std::uint32_t, void* state) {
        return static_cast<State*>(state)->stream_closed(id);
      });

  nghttp2_option* new_option = nullptr;
  if (nghttp2_option_new(&new_option) != 0) throw std::bad_alloc();
  const Option option(new_option);
  nghttp2_option_set_no_closed_streams(new_option, 1);  // kept for priorities, which are not used

#ifdef CRATON_NGHTTP2_MAX_CONTINUATIONS
  // nghttp2 counts a CONTINUATION once for each piece that its 9 bytes of head arrive in.
  nghttp2_option_set_max_continuations(new_option, 9 * (continuations_max + 1));
#endif

  nghttp2_session* new_session = nullptr;
  if (nghttp2_session_server_new2(&new_session, new_callbacks, this, new_option) != 0) {
    throw std::bad_alloc();
  }
  session.reset(new_session);
  const std::array<nghttp2_settings_entry, 4> settings{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       static_cast<std::uint32_t>(limits.request.header_bytes_max)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
  ended(nghttp2_submit_settings(new_session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()));
  ended(
      nghttp2_session_set_local_window_size(new_session, NGHTTP2_FLAG_NONE, 0, connection_window));
  append_output(greeting);
}

// Appends what nghttp2 has for the wire, whole frames.
void H2Session::State::append_output(std::string& out) {
  while (!failure && out.size() < fill_bytes) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session.get(), &bytes);
    ended(static_cast<int>(std::min<ssize_t>(size, 0)));
    if (size <= 0) return;
    out.append(view_of(bytes, static_cast<std::size_t>(size)));
  }
}

// Looks at what nghttp2 returned: an error leaves the session as it is, for good.
void H2Session::State::ended(int result) {
  if (result >= 0 || failure) return;
  switch (result) {
    case too_many_continuations:
    case NGHTTP2_ERR_FLOODED: fail(NGHTTP2_ENHANCE_YOUR_CALM); return;
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC: fail(NGHTTP2_PROTOCOL_ERROR); return;
    default: fail(NGHTTP2_INTERNAL_ERROR); return;
  }
}

int H2Session::State::fail(std::uint32_t code) {
  failure = code;
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

// Requests.

int H2Session::State::frame_begins(const nghttp2_frame_hd& frame) {
  if (frame.type != NGHTTP2_CONTINUATION) {
    block_since.reset();
    continuations = 0;
  } else if (++continuations > continuations_max) {
    return fail(NGHTTP2_ENHANCE_YOUR_CALM);
  }
  return is_idle_frame(frame) ? count(idle) : 0;
}

int H2Session::State::headers_begin(const nghttp2_frame& frame) {
  block_since = now;
  if (frame.headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  streams.try_emplace(frame.hd.stream_id, limits.request);
  // All streams in turn, a frame each: without this they would be served one after the other.
  nghttp2_extpri in_turn{NGHTTP2_EXTPRI_DEFAULT_URGENCY, 1};
  nghttp2_session_change_extpri_stream_priority(session.get(), frame.hd.stream_id, &in_turn, 1);
  return 0;
}

int H2Session::State::header_came(const nghttp2_frame& frame, std::string_view name,
                                  std::string_view value) {
  Stream* stream = find(frame.hd.stream_id);
  if (!stream) return 0;
  stream->head.add(name, value);
  const bool excess = stream->head.bytes() / header_excess_max > limits.request.header_bytes_max;
  return excess ? fail(NGHTTP2_ENHANCE_YOUR_CALM) : 0;
}

int H2Session::State::frame_came(const nghttp2_frame& frame) {
  const bool ends_stream = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  const StreamId id = frame.hd.stream_id;
  Stream* stream = find(id);
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      block_since.reset();
      if (!stream) return 0;
      if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
        head_came(id, *stream, ends_stream);
      } else if (ends_stream) {  // trailers, which are dropped
        request_came(id, *stream);
      }
      return 0;
    case NGHTTP2_DATA:
      if (stream && ends_stream) request_came(id, *stream);
      return 0;
    case NGHTTP2_RST_STREAM: return count(broken);
    case NGHTTP2_PING:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0 && goodbye_since) part();
      return 0;
    default: return 0;
  }
}

void H2Session::State::head_came(StreamId id, Stream& stream, bool ends_stream) {
  const std::optional<Refusal> refusal = stream.head.finish();
  const bool wants_continue = stream.head.wants_continue();
  stream.request = stream.head.take_request();
  stream.head_only = stream.request.method == "HEAD";
  if (refusal) refuse(id, stream, *refusal);
  if (ends_stream) {
    request_came(id, stream);
    return;
  }
  stream.body_expected = true;
  stream.body = {now, now, 0};
  if (refusal || !wants_continue) return;
  const std::vector<Header> fields{{":status", "100"}};
  const std::vector<nghttp2_nv> list = name_values(fields);
  ended(nghttp2_submit_headers(session.get(), NGHTTP2_FLAG_NONE, id, nullptr, list.data(),
                               list.size(), nullptr));
}

int H2Session::State::data_came(StreamId id, std::string_view bytes) {
  Stream* stream = find(id);
  if (!stream || stream->no_more) return 0;
  stream->body.last_piece = now;
  stream->body.bytes += bytes.size();
  if (stream->body.bytes > limits.request.body_bytes_max) {
    refuse(id, *stream, {413, "The request's body is too large."});
    return 0;
  }
  if (body_bytes + bytes.size() > largest_bodies_max * limits.request.body_bytes_max) {
    reset(id, *stream, NGHTTP2_REFUSED_STREAM);
    return 0;
  }
  body_bytes += bytes.size();
  stream->body_bytes += bytes.size();
  stream->request.body += bytes;
  return 0;
}

void H2Session::State::request_came(StreamId id, Stream& stream) {
  stream.whole = true;
  stream.body_expected = false;
  if (stream.no_more) return;
  stream.told = stream.no_more = true;
  events.push_back({H2Event::Kind::request, id, std::move(stream.request)});
}

void H2Session::State::refuse(StreamId id, Stream& stream, Refusal refusal) {
  if (stream.no_more) return;
  stream.told = stream.no_more = true;
  stream.body_expected = false;
  stream.request = {};
  H2Event event{H2Event::Kind::refused, id};
  event.refusal = refusal;
  events.push_back(std::move(event));
}

int H2Session::State::stream_closed(StreamId id) {
  const auto entry = streams.find(id);
  if (entry == streams.end()) return 0;
  if (entry->second.told) events.push_back({H2Event::Kind::gone, id});
  body_bytes -= entry->second.body_bytes;
  streams.erase(entry);
  idle_since = now;
  return 0;
}

// Answers.

void H2Session::State::reset(StreamId id, Stream& stream, std::uint32_t code) {
  stream.broken_by_us = stream.no_more = true;
  body_bytes -= std::exchange(stream.body_bytes, 0);
  ended(nghttp2_submit_rst_stream(session.get(), NGHTTP2_FLAG_NONE, id, code));
}

int H2Session::State::frame_sent(const nghttp2_frame& frame) {
  Stream* stream = find(frame.hd.stream_id);
  if (frame.hd.type == NGHTTP2_RST_STREAM) {
    return stream && stream->broken_by_us ? 0 : count(broken);
  }
  const bool carries_answer = frame.hd.type == NGHTTP2_HEADERS || frame.hd.type == NGHTTP2_DATA;
  const bool ends_stream = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  // Answered before its end: the rest of the request is not wanted; RFC 9113 8.1.
  if (stream && carries_answer && ends_stream && !stream->whole) {
    reset(frame.hd.stream_id, *stream, NGHTTP2_NO_ERROR);
  }
  return 0;
}

ssize_t H2Session::State::read_body(StreamId id, std::span<std::uint8_t> room,
                                    std::uint32_t& flags) {
  Stream* stream = find(id);
  if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const std::string_view bytes = stream->unsent().substr(0, room.size());
  std::ranges::copy(bytes, room.begin());
  stream->sent += bytes.size();
  if (!bytes.empty()) stream->progress = now;
  const bool all_sent = stream->unsent().empty();
  if (all_sent && stream->finished) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
  } else if (all_sent && !std::exchange(stream->hungry, true)) {
    hungry.push_back(id);
  }
  const bool nothing = bytes.empty() && !stream->finished;
  if (nothing) return NGHTTP2_ERR_DEFERRED;
  return static_cast<ssize_t>(bytes.size());
}

void H2Session::State::go_on(StreamId id) {
  if (!failure) nghttp2_session_resume_data(session.get(), id);
}

// Time.

void H2Session::State::expire_stream(StreamId id, Stream& stream) {
  if (stream.body_expected && now >= body_deadline(stream.body, limits.body_timeout)) {
    refuse(id, stream, {408, "The request did not arrive in time."});
  }
  const bool stuck = stream.answered && !stream.unsent().empty();
  if (stuck && now >= stream.progress + limits.write_timeout && !stream.broken_by_us) {
    reset(id, stream, NGHTTP2_CANCEL);
  }
}

void H2Session::State::part() {
  if (std::exchange(parted, true)) return;
  const StreamId last = nghttp2_session_get_last_proc_stream_id(session.get());
  ended(
      nghttp2_submit_goaway(session.get(), NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0));
}

// The public face.

H2Session::H2Session(const H2Limits& limits, SteadyTime now)
    : state_(std::make_unique<State>(limits, now)) {
  state_->open();
}

H2Session::~H2Session() = default;

void H2Session::feed(std::string_view bytes, SteadyTime now) {
  state_->now = now;
  if (state_->failure) return;
  const ssize_t result = nghttp2_session_mem_recv(
      state_->session.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  state_->ended(static_cast<int>(std::min<ssize_t>(result, 0)));
}

std::optional<H2Event> H2Session::next_event() {
  if (state_->events.empty()) return std::nullopt;
  H2Event event = std::move(state_->events.front());
  state_->events.pop_front();
  return event;
}

bool H2Session::respond(StreamId id, Response& response, std::string_view date) {
  Stream* stream = state_->find(id);
  if (!stream || state_->failure) return false;
  assert(!stream->answered && "a stream is answered once");
  const std::vector<Header> fields = h2_fields(response, date);
  const std::vector<nghttp2_nv> list = name_values(fields);
  stream->answered = true;
  stream->progress = state_->now;
  stream->streamed = response.stream != nullptr;
  stream->finished = !stream->streamed;
  stream->response.body = std::move(response.body);
  stream->response.shared_body = std::move(response.shared_body);
  const bool has_bytes = stream->streamed || !stream->response.body_view().empty();
  const bool body_follows = has_bytes && !stream->head_only && has_body(response.status);
  if (!body_follows) stream->response = {};
  nghttp2_data_provider body{};
  body.read_callback = [](nghttp2_session*, StreamId of, std::uint8_t* room, std::size_t size,
                          std::uint32_t* flags, nghttp2_data_source*, void* state) {
    return static_cast<State*>(state)->read_body(of, {room, size}, *flags);
  };
  state_->ended(nghttp2_submit_response(state_->session.get(), id, list.data(), list.size(),
                                        body_follows ? &body : nullptr));
  return body_follows && stream->streamed;
}

void H2Session::give(StreamId id, std::string piece) {
  Stream* stream = state_->find(id);
  if (!stream) return;
  assert(stream->streamed && stream->unsent().empty() && "a piece at a time");
  stream->piece = std::move(piece);
  stream->sent = 0;
  stream->hungry = false;
  stream->progress = state_->now;
  state_->go_on(id);
}

void H2Session::finish(StreamId id) {
  Stream* stream = state_->find(id);
  if (!stream) return;
  stream->finished = true;
  state_->go_on(id);
}

void H2Session::reset(StreamId id, H2Reset code) {
  Stream* stream = state_->find(id);
  if (stream && !state_->failure) state_->reset(id, *stream, static_cast<std::uint32_t>(code));
}

void H2Session::fill(std::string& out, SteadyTime now) {
  State& state = *state_;
  state.now = now;
  out += std::exchange(state.greeting, {});
  state.append_output(out);
  if (!state.failure || std::exchange(state.failure_told, true)) return;
  append_goaway(nghttp2_session_get_last_proc_stream_id(state.session.get()), *state.failure, out);
}

std::vector<StreamId> H2Session::take_hungry() { return std::exchange(state_->hungry, {}); }

void H2Session::expire(SteadyTime now) {
  State& state = *state_;
  state.now = now;
  if (state.failure) return;
  for (auto& [id, stream] : state.streams) state.expire_stream(id, stream);
  if (state.block_since && now >= *state.block_since + state.limits.header_timeout) {
    state.fail(NGHTTP2_NO_ERROR);
  }
  if (state.goodbye_since && now >= *state.goodbye_since + goodbye_time) state.part();
  if (state.streams.empty() && now >= state.idle_since + state.limits.idle_timeout) state.part();
}

void H2Session::shut_down(SteadyTime now) {
  State& state = *state_;
  if (state.failure || std::exchange(state.goodbye_since, now)) return;
  state.ended(nghttp2_submit_shutdown_notice(state.session.get()));
  state.ended(nghttp2_submit_ping(state.session.get(), NGHTTP2_FLAG_NONE, goodbye_ping.data()));
}

bool H2Session::done() const {
  const State& state = *state_;
  if (state.failure) return state.failure_told;
  return nghttp2_session_want_read(state.session.get()) == 0 &&
         nghttp2_session_want_write(state.session.get()) == 0 && state.greeting.empty();
}

}  // namespace craton::http
