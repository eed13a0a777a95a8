#include "event_stream/message.h"

#include <aws/checksums/checksums.h>
#include <aws/checksums/crc.h>
#include <aws/event-stream/event_stream.h>

#include <array>
#include <cassert>
#include <cstring>

namespace craton::event_stream {
namespace {

constexpr std::size_t variable = static_cast<std::size_t>(-1);

/// Bytes of a value, by HeaderType.
constexpr std::array<std::size_t, 10> value_sizes{0, 0, 1, 2, 4, 8, variable, variable, 8, 16};
static_assert(value_sizes.size() == static_cast<std::size_t>(HeaderType::uuid) + 1,
              "one size per HeaderType, in its order");

constexpr std::size_t value_size(HeaderType type) {
  return value_sizes[static_cast<std::size_t>(type)];
}

Error problem(std::string_view what) {
  return Error{ErrorCode::validation, "The event stream is malformed: " + std::string(what) + "."};
}

/// aws-checksums chooses an implementation for this processor: 0.4 ms, once. Of the other libraries
/// framing needs nothing that is initialised; aws_event_stream_library_init() would make aws-c-io's
/// TLS ready too, for 25 ms and more.
void prepare_checksums() {
  [[maybe_unused]] static const bool ready = [] {
    aws_checksums_library_init(aws_default_allocator());
    return true;
  }();
}

/// Of what `previous` is the checksum of, followed by `bytes`.
std::uint32_t crc32(std::string_view bytes, std::uint32_t previous = 0) {
  prepare_checksums();
  return aws_checksums_crc32_ex(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                                previous);
}

void append_u16(std::size_t number, std::string& out) {
  out += static_cast<char>(number >> 8 & 0xff);
  out += static_cast<char>(number & 0xff);
}

void put_u32(std::uint32_t number, char* at) {
  for (int shift = 24; shift >= 0; shift -= 8) *at++ = static_cast<char>(number >> shift & 0xff);
}

std::uint32_t read_u32(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char byte : bytes.substr(0, 4))
    number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace

Result<void> encode(const Message& message, std::string& out) {
  MessageWriter writer(out);
  for (const auto& [name, value, type] : message.headers) writer.add_header(name, value, type);
  writer.payload() += message.payload;
  return writer.finish();
}

MessageWriter::MessageWriter(std::string& out) : out_(out), start_(out.size()) {
  out_.append(prelude_size, '\0');
}

MessageWriter::~MessageWriter() {
  if (!finished_) out_.resize(start_);
}

void MessageWriter::add_header(std::string_view name, std::string_view value, HeaderType type) {
  assert(!headers_size_ && "headers are added before the payload");
  if (name.empty() || name.size() > max_header_name) {
    return refuse("a header's name has 1 to 255 bytes");
  }
  if (value.size() > max_header_value) return refuse("a header's value exceeds 32767 bytes");
  const std::size_t fixed = value_size(type);
  if (fixed != variable && value.size() != fixed) {
    return refuse("a header's value has not the size of its type");
  }
  if (++header_count_ > max_header_count) return refuse("more than 1024 headers");
  out_ += static_cast<char>(name.size());
  out_ += name;
  out_ += static_cast<char>(type);
  if (fixed == variable) append_u16(value.size(), out_);
  out_ += value;
}

std::string& MessageWriter::payload() {
  if (!headers_size_) headers_size_ = size() - prelude_size;
  return out_;
}

Result<void> MessageWriter::finish() {
  payload();
  if (*headers_size_ > max_headers_size) refuse("the headers exceed 128 KiB");
  if (size() + overhead - prelude_size > max_message) refuse("the message exceeds 24 MiB");
  if (refused_) return *std::move(refused_);
  char* const prelude = out_.data() + start_;
  put_u32(static_cast<std::uint32_t>(size() + overhead - prelude_size), prelude);
  put_u32(static_cast<std::uint32_t>(*headers_size_), prelude + 4);
  put_u32(crc32({prelude, 8}), prelude + 8);
  char checksum[4];
  put_u32(crc32({prelude, size()}), checksum);
  out_.append(checksum, sizeof checksum);
  finished_ = true;
  return {};
}

void MessageWriter::refuse(std::string_view why) {
  if (!refused_) refused_ = problem(why);
}

namespace {

/// The headers of a message as aws-c-event-stream lists them: views into the message.
class HeaderList {
 public:
  HeaderList() { aws_event_stream_headers_list_init(&list_, aws_default_allocator()); }
  ~HeaderList() { aws_event_stream_headers_list_cleanup(&list_); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  bool read(const aws_event_stream_message& message) {
    return aws_event_stream_message_headers(&message, &list_) == AWS_OP_SUCCESS;
  }
  std::size_t size() const { return aws_array_list_length(&list_); }
  const aws_event_stream_header_value_pair& operator[](std::size_t index) const {
    void* pair = nullptr;
    aws_array_list_get_at_ptr(&list_, &pair, index);
    return *static_cast<const aws_event_stream_header_value_pair*>(pair);
  }

 private:
  aws_array_list list_;
};

Result<Header> header_of(const aws_event_stream_header_value_pair& pair) {
  // Copied, not read: the library lets numbers through that are no enumerator.
  std::uint32_t type = 0;
  static_assert(sizeof type == sizeof pair.header_value_type);
  std::memcpy(&type, &pair.header_value_type, sizeof type);
  if (type >= value_sizes.size()) return problem("a header has an unknown type");
  if (pair.header_name_len == 0) return problem("a header has no name");
  Header header{std::string(pair.header_name, pair.header_name_len), {}, HeaderType(type)};
  const std::uint8_t* value = value_size(header.type) == variable
                                  ? pair.header_value.variable_len_val
                                  : pair.header_value.static_val;
  header.value.assign(reinterpret_cast<const char*>(value), pair.header_value_len);
  return header;
}

/// `wire`: one message, its prelude checked. The library's streaming decoder would do without the
/// whole, but leaks the value it is reading when a stream ends in the middle of a header.
Result<Message> read_message(std::string_view wire) {
  aws_byte_buf buffer = aws_byte_buf_from_array(wire.data(), wire.size());
  aws_event_stream_message read;  // wraps `wire`, owns nothing
  if (aws_event_stream_message_from_buffer(&read, aws_default_allocator(), &buffer) !=
      AWS_OP_SUCCESS) {
    return problem("the message's checksum does not match");
  }
  HeaderList headers;
  if (!headers.read(read)) return problem("the headers cannot be read");
  Message message;
  message.headers.reserve(headers.size());
  for (std::size_t i = 0; i < headers.size(); ++i) {
    CRATON_TRY_ASSIGN(Header header, header_of(headers[i]));
    message.headers.push_back(std::move(header));
  }
  message.payload.assign(reinterpret_cast<const char*>(aws_event_stream_message_payload(&read)),
                         aws_event_stream_message_payload_len(&read));
  return message;
}

/// The total length that a whole prelude promises. Checked before the rest is waited for: a length
/// that is wrong could let a reader wait for ever.
Result<std::size_t> total_length(std::string_view prelude) {
  if (crc32(prelude.substr(0, 8)) != read_u32(prelude.substr(8))) {
    return problem("the prelude's checksum does not match");
  }
  const std::size_t total = read_u32(prelude);
  const std::size_t headers = read_u32(prelude.substr(4));
  if (total < overhead || headers > total - overhead) {
    return problem("its lengths contradict each other");
  }
  if (total > max_message) return problem("a message exceeds 24 MiB");
  if (headers > max_headers_size) return problem("the headers exceed 128 KiB");
  return total;
}

}  // namespace

void Decoder::feed(std::string_view bytes) {
  if (broken_) return;
  buffer_.erase(0, taken_);
  taken_ = 0;
  buffer_ += bytes;
}

Result<std::optional<Message>> Decoder::next() {
  if (broken_) return *broken_;
  Result<std::optional<Message>> message = take();
  if (!message) {
    broken_ = message.error();
    buffer_ = {};
    taken_ = 0;
  }
  return message;
}

Result<std::optional<Message>> Decoder::take() {
  const std::string_view waiting = std::string_view(buffer_).substr(taken_);
  if (waiting.size() < prelude_size) return std::nullopt;
  CRATON_TRY_ASSIGN(const std::size_t total, total_length(waiting.substr(0, prelude_size)));
  if (waiting.size() < total) return std::nullopt;
  CRATON_TRY_ASSIGN(Message message, read_message(waiting.substr(0, total)));
  taken_ += total;
  return std::optional(std::move(message));
}

}  // namespace craton::event_stream
