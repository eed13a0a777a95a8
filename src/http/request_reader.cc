#include "http/request_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace craton::http {
namespace {

/// A table of which bytes belong to a class.
using ByteSet = std::array<bool, 256>;

constexpr ByteSet range(std::size_t first, std::size_t last) {
  ByteSet set{};
  for (std::size_t c = first; c <= last; ++c) set[c] = true;
  return set;
}

constexpr ByteSet with(ByteSet set, std::string_view members) {
  for (const char c : members) set[static_cast<unsigned char>(c)] = true;
  return set;
}

constexpr ByteSet without(ByteSet set, std::string_view members) {
  for (const char c : members) set[static_cast<unsigned char>(c)] = false;
  return set;
}

constexpr ByteSet alphanumeric =
    with(range('0', '9'), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

// Sources: RFC 9110 5.6.2 (token) and 5.5 (field-content), RFC 3986 3.2.2 and 3.2.3 (host, port).
constexpr ByteSet token = with(alphanumeric, "!#$%&'*+-.^_`|~");
constexpr ByteSet host_text = with(alphanumeric, "-._~!$&'()*+,;=%:[]");
constexpr ByteSet visible = range('!', '~');
constexpr ByteSet field_text = without(with(range(' ', 255), "\t"), "\x7f");

bool all_in(const ByteSet& set, std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [&set](char c) { return set[static_cast<unsigned char>(c)]; });
}

bool is_token(std::string_view text) { return !text.empty() && all_in(token, text); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// `name` is in lower case.
bool is_named(std::string_view text, std::string_view name) {
  return text.size() == name.size() && std::equal(text.begin(), text.end(), name.begin(),
                                                  [](char a, char b) { return lower(a) == b; });
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Cuts the first element off a comma-separated list.
std::string_view take_element(std::string_view& list) {
  const std::size_t comma = list.find(',');
  const std::string_view element = trim(list.substr(0, comma));
  list = comma == list.npos ? std::string_view() : list.substr(comma + 1);
  return element;
}

/// A number of `digits_max` digits at most and nothing else: no sign, no blank, no prefix.
std::optional<std::uint64_t> parse_number(std::string_view text, int base, std::size_t digits_max) {
  if (text.empty() || text.size() > digits_max) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// What does not fit 64 bits is no length at all.
constexpr std::size_t length_digits_max = 19;
constexpr std::size_t chunk_size_digits_max = 16;

// What a connection may keep of its buffer while it has nothing to do.
constexpr std::size_t idle_buffer_bytes_max = 4 * 1024;

// Memory set aside before a body's bytes are there; past it, memory follows the bytes.
constexpr std::size_t body_reserve_max = 1024 * 1024;

constexpr std::string_view http2_request_line = "PRI * HTTP/2.0";

constexpr Refusal header_too_large{431, "The request's header is too large."};
constexpr Refusal body_too_large{413, "The request's body is too large."};
constexpr Refusal malformed_chunk{400, "A chunk of the request's body is malformed."};
constexpr Refusal malformed_request_line{400, "The request line is malformed."};

}  // namespace

// Fields that decide about framing and the connection.
struct RequestReader::KnownField {
  std::string_view name;
  Noting note;
};

const RequestReader::KnownField* RequestReader::known_field(std::string_view name) {
  static constexpr std::array fields{
      KnownField{"host", &RequestReader::note_host},
      KnownField{"content-length", &RequestReader::note_content_length},
      KnownField{"transfer-encoding", &RequestReader::note_transfer_encoding},
      KnownField{"connection", &RequestReader::note_connection},
      KnownField{"expect", &RequestReader::note_expect},
  };
  const auto* row = std::find_if(fields.begin(), fields.end(), [name](const KnownField& field) {
    return is_named(name, field.name);
  });
  return row == fields.end() ? nullptr : row;
}

void RequestReader::feed(std::string_view bytes) {
  if (refusal_) return;
  if (used_ > buffer_.size() / 2) {
    buffer_.erase(0, used_);
    searched_ = std::max(searched_, used_) - used_;
    used_ = 0;
  }
  if (buffer_.empty()) {
    // The bytes of a body go where they belong without a stop in the buffer.
    if (state_ == State::sized_body || state_ == State::chunk_data) {
      const std::size_t taken = std::min<std::uint64_t>(bytes.size(), body_left_);
      incoming_.request.body.append(bytes.substr(0, taken));
      body_left_ -= taken;
      bytes.remove_prefix(taken);
    }
  }
  buffer_.append(bytes);
}

tl::expected<std::optional<Incoming>, Refusal> RequestReader::next() {
  static constexpr std::array<Reading, static_cast<std::size_t>(State::complete)> readings{
      &RequestReader::read_request_line, &RequestReader::read_header_line,
      &RequestReader::read_sized_body,   &RequestReader::read_chunk_size,
      &RequestReader::read_chunk_data,   &RequestReader::read_chunk_end,
      &RequestReader::read_trailer_line,
  };
  while (!refusal_ && state_ != State::complete) {
    const Reading read = readings[static_cast<std::size_t>(state_)];
    if ((this->*read)() != Step::more_bytes) continue;
    if (buffered() == 0 && buffer_.capacity() > idle_buffer_bytes_max) {
      std::string().swap(buffer_);
      used_ = searched_ = 0;
    }
    return std::nullopt;
  }
  if (refusal_) return tl::unexpected(*refusal_);
  Incoming whole = std::move(incoming_);
  first_request_ = false;
  begin_request();
  return whole;
}

RequestReader::Phase RequestReader::phase() const {
  switch (state_) {
    case State::request_line: return buffered() == 0 ? Phase::idle : Phase::head;
    case State::header_line: return Phase::head;
    default: return Phase::body;
  }
}

bool RequestReader::take_continue() {
  const bool at_body = state_ == State::sized_body || state_ == State::chunk_size;
  const bool body_begun = buffered() > 0 || body_bytes() > 0;
  return at_body && !body_begun && std::exchange(continue_expected_, false);
}

// Lines.

// Finds the next line and uses it up. `bytes_max` counts the line end.
RequestReader::Step RequestReader::take_line(std::size_t bytes_max, Refusal too_long) {
  const std::size_t end = buffer_.find('\n', std::max(searched_, used_));
  const std::size_t length = (end == buffer_.npos ? buffer_.size() : end + 1) - used_;
  searched_ = used_ + length;
  if (length > bytes_max) return refuse(too_long);
  if (end == buffer_.npos) return Step::more_bytes;
  line_ = std::string_view(buffer_).substr(used_, length - 1);
  used_ += length;
  if (!line_.ends_with('\r')) return refuse({400, "A line of the request ends in LF without CR."});
  line_.remove_suffix(1);
  return Step::go_on;
}

// A line of a head, or of trailers; all of them together have one limit.
RequestReader::Step RequestReader::take_head_line() {
  const std::size_t before = used_;
  const Step step = take_line(limits_.header_bytes_max - head_bytes_, header_too_large);
  head_bytes_ += used_ - before;
  return step;
}

RequestReader::Step RequestReader::refuse(Refusal refusal) {
  refusal_ = refusal;
  return Step::refused;
}

void RequestReader::begin_request() {
  state_ = State::request_line;
  incoming_ = Incoming();
  head_bytes_ = 0;
  blank_line_skipped_ = http_1_0_ = host_seen_ = false;
  close_asked_ = keep_alive_asked_ = continue_expected_ = false;
  content_length_.reset();
  transfer_encoding_.reset();
  body_left_ = 0;
  extension_bytes_ = 0;
}

// The request line.

RequestReader::Step RequestReader::read_request_line() {
  // What does not begin like a request (a TLS handshake on this port) need not be waited for.
  if (buffered() > 0 && buffer_[used_] != '\r' &&
      !token[static_cast<unsigned char>(buffer_[used_])]) {
    return refuse(malformed_request_line);
  }
  const std::size_t line_max = std::min(request_line_bytes_max, limits_.header_bytes_max);
  const std::size_t before = used_;
  const Step step = take_line(line_max, {414, "The request line is too long."});
  if (step != Step::go_on) return step;
  if (line_.empty() &&
      !blank_line_skipped_) {  // some old clients end a body with one; RFC 9112 2.2
    blank_line_skipped_ = true;
    return Step::go_on;
  }
  head_bytes_ = used_ - before;
  begins_http2_ = first_request_ && before == 0 && line_ == http2_request_line;
  return parse_request_line(line_);
}

RequestReader::Step RequestReader::parse_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == line.npos || first == last) return refuse(malformed_request_line);
  const std::string_view method = line.substr(0, first);
  if (!is_token(method)) return refuse({400, "The request's method is malformed."});
  incoming_.request.method = method;
  if (const Step step = parse_version(line.substr(last + 1)); step != Step::go_on) return step;
  if (const Step step = parse_target(line.substr(first + 1, last - first - 1));
      step != Step::go_on) {
    return step;
  }
  state_ = State::header_line;
  return Step::go_on;
}

// Every HTTP/1.x is read as HTTP/1.1 but the first; RFC 9110 2.5.
RequestReader::Step RequestReader::parse_version(std::string_view version) {
  const bool well_formed = version.size() == 8 && version.starts_with("HTTP/") &&
                           is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
  if (!well_formed) return refuse(malformed_request_line);
  if (version[5] != '1') return refuse({505, "HTTP/1.1 is the version that is spoken here."});
  http_1_0_ = version[7] == '0';
  return Step::go_on;
}

RequestReader::Step RequestReader::parse_target(std::string_view target) {
  if (!all_in(visible, target)) return refuse({400, "The request's target is malformed."});
  if (!target.starts_with('/') && !(target == "*" && incoming_.request.method == "OPTIONS")) {
    // The absolute form, which clients send to what they take for a proxy; RFC 9112 3.2.2.
    const bool absolute = is_named(target.substr(0, 7), "http://");
    if (!absolute) return refuse({400, "The request's target is no path."});
    const std::size_t path = std::min(target.find_first_of("/?", 7), target.size());
    if (path == 7 || !all_in(host_text, target.substr(7, path - 7))) {
      return refuse({400, "The request's target is malformed."});
    }
    target.remove_prefix(path);
    if (!target.starts_with('/')) incoming_.request.target = "/";
  }
  incoming_.request.target += target;
  return Step::go_on;
}

// Header fields.

RequestReader::Step RequestReader::read_header_line() {
  const Step step = take_head_line();
  if (step != Step::go_on) return step;
  return line_.empty() ? finish_head() : parse_field(line_, false);
}

RequestReader::Step RequestReader::parse_field(std::string_view line, bool trailer) {
  if (line.front() == ' ' || line.front() == '\t') {
    return refuse({400, "A header field is folded over two lines."});
  }
  const std::size_t colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon))) {
    return refuse({400, "The name of a header field is malformed."});
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (!all_in(field_text, value)) {
    return refuse({400, "The value of a header field holds a control character."});
  }
  if (trailer) return Step::go_on;
  if (incoming_.request.headers.size() == header_fields_max) return refuse(header_too_large);
  incoming_.request.headers.add(std::string(name), std::string(value));
  const KnownField* known = known_field(name);
  return known ? (this->*known->note)(value) : Step::go_on;
}

RequestReader::Step RequestReader::note_host(std::string_view value) {
  if (std::exchange(host_seen_, true)) return refuse({400, "There are two Host fields."});
  if (!all_in(host_text, value)) return refuse({400, "The Host field is malformed."});
  return Step::go_on;
}

// Two equal lengths are refused as well, which RFC 9112 6.3 allows: no client sends them.
RequestReader::Step RequestReader::note_content_length(std::string_view value) {
  if (content_length_) return refuse({400, "There are two Content-Length fields."});
  content_length_ = parse_number(value, 10, length_digits_max);
  if (!content_length_) return refuse({400, "The Content-Length field is malformed."});
  return Step::go_on;
}

RequestReader::Step RequestReader::note_transfer_encoding(std::string_view value) {
  if (transfer_encoding_) {
    transfer_encoding_->append(",").append(value);
  } else {
    transfer_encoding_ = value;
  }
  return Step::go_on;
}

RequestReader::Step RequestReader::note_connection(std::string_view value) {
  while (!value.empty()) {
    const std::string_view option = take_element(value);
    close_asked_ = close_asked_ || is_named(option, "close");
    keep_alive_asked_ = keep_alive_asked_ || is_named(option, "keep-alive");
  }
  return Step::go_on;
}

RequestReader::Step RequestReader::note_expect(std::string_view value) {
  continue_expected_ = !http_1_0_ && is_named(value, "100-continue");
  return Step::go_on;
}

RequestReader::Step RequestReader::finish_head() {
  if (!host_seen_ && !http_1_0_) return refuse({400, "The Host field is missing."});
  incoming_.http_1_0 = http_1_0_;
  incoming_.keep_alive = !close_asked_ && (!http_1_0_ || keep_alive_asked_);
  if (transfer_encoding_) return begin_chunked_body();
  if (content_length_) return begin_sized_body();
  state_ = State::complete;
  return Step::go_on;
}

// Bodies.

RequestReader::Step RequestReader::begin_sized_body() {
  if (*content_length_ > limits_.body_bytes_max) return refuse(body_too_large);
  body_left_ = *content_length_;
  incoming_.request.body.reserve(std::min<std::uint64_t>(body_left_, body_reserve_max));
  state_ = State::sized_body;
  return Step::go_on;
}

// "chunked" must be the last coding, or where the body ends is anybody's guess: 400. Codings before
// it are only not spoken here: 501. RFC 9112 6.1 and 6.3.
RequestReader::Step RequestReader::begin_chunked_body() {
  constexpr Refusal unclear{400, "Where the body ends is unclear from Transfer-Encoding."};
  if (content_length_) return refuse({400, "There are both Transfer-Encoding and Content-Length."});
  if (http_1_0_) return refuse(unclear);
  bool other_coding = false;
  bool last_is_chunked = false;
  std::string_view codings = *transfer_encoding_;
  do {
    const bool more = codings.find(',') != codings.npos;
    const std::string_view coding = take_element(codings);
    if (coding.empty() || last_is_chunked) return refuse(unclear);
    last_is_chunked = is_named(coding, "chunked");
    other_coding = other_coding || !last_is_chunked;
    if (more && codings.empty()) return refuse(unclear);
  } while (!codings.empty());
  if (!last_is_chunked) return refuse(unclear);
  if (other_coding) return refuse({501, "The only transfer coding that is understood is chunked."});
  state_ = State::chunk_size;
  return Step::go_on;
}

// Moves up to `body_left_` bytes to the body; true when none is left.
bool RequestReader::take_body(std::size_t wanted) {
  const std::size_t taken = std::min(buffered(), wanted);
  incoming_.request.body.append(buffer_, used_, taken);
  used_ += taken;
  body_left_ -= taken;
  return body_left_ == 0;
}

RequestReader::Step RequestReader::read_sized_body() {
  if (!take_body(body_left_)) return Step::more_bytes;
  state_ = State::complete;
  return Step::go_on;
}

RequestReader::Step RequestReader::read_chunk_size() {
  const Step step = take_line(chunk_line_bytes_max, malformed_chunk);
  if (step != Step::go_on) return step;
  const std::string_view digits = line_.substr(0, line_.find(';'));
  const std::string_view extension = line_.substr(digits.size());
  const auto size = parse_number(digits, 16, chunk_size_digits_max);
  extension_bytes_ += extension.size();
  if (!size || !all_in(field_text, extension) || extension_bytes_ > chunk_extension_bytes_max) {
    return refuse(malformed_chunk);
  }
  if (*size > limits_.body_bytes_max - incoming_.request.body.size()) return refuse(body_too_large);
  body_left_ = *size;
  head_bytes_ = 0;
  state_ = *size == 0 ? State::trailer_line : State::chunk_data;
  return Step::go_on;
}

RequestReader::Step RequestReader::read_chunk_data() {
  if (!take_body(body_left_)) return Step::more_bytes;
  state_ = State::chunk_end;
  return Step::go_on;
}

RequestReader::Step RequestReader::read_chunk_end() {
  const std::string_view end = std::string_view(buffer_).substr(used_, 2);
  if (end != std::string_view("\r\n").substr(0, end.size())) return refuse(malformed_chunk);
  if (end.size() < 2) return Step::more_bytes;
  used_ += 2;
  state_ = State::chunk_size;
  return Step::go_on;
}

// Trailers are read as strictly as header fields, and dropped: nothing in the API uses them.
RequestReader::Step RequestReader::read_trailer_line() {
  const Step step = take_head_line();
  if (step != Step::go_on) return step;
  if (!line_.empty()) return parse_field(line_, true);
  state_ = State::complete;
  return Step::go_on;
}

}  // namespace craton::http
