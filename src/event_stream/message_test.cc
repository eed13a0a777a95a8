#include "event_stream/message.h"

#include <aws/event-stream/event_stream.h>
#include <gtest/gtest.h>

#include <ostream>
#include <random>

namespace craton::event_stream {

void PrintTo(const Header& header, std::ostream* out) {
  *out << header.name << '(' << static_cast<int>(header.type)
       << ")=" << testing::PrintToString(header.value);
}

namespace {

std::string unhex(std::string_view text) {
  std::string bytes;
  int digits = 0, byte = 0;
  for (const char c : text) {
    if (c == ' ') continue;
    byte = byte << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
    if (++digits % 2 == 0) bytes += static_cast<char>(byte & 0xff);
  }
  return bytes;
}

struct Vector {
  std::string name;
  Message message;
  std::string_view wire;  ///< Hexadecimal.
};

void PrintTo(const Vector& vector, std::ostream* out) { *out << vector.name; }

const std::vector<Header> every_type{
    {"yes", "", HeaderType::bool_true},
    {"no", "", HeaderType::bool_false},
    {"i8", "\xcf", HeaderType::int8},
    {"i16", std::string("\0\x2a", 2), HeaderType::int16},
    {"i32", unhex("0000a00f"), HeaderType::int32},
    {"i64", unhex("ffffffffffffffd6"), HeaderType::int64},
    {"buf", "I'm a little teapot!", HeaderType::bytes},
    {"str", "caf\xc3\xa9"},
    {"time", unhex("00000000007b5cd1"), HeaderType::timestamp},
    {"uuid", unhex("0102030405060708090a0b0c0d0e0f10"), HeaderType::uuid},
};

// The first three are in the test suites of every AWS SDK; the other two were computed with
// Python's zlib.crc32 over parts put together by hand.
const Vector vectors[] = {
    {"empty", {}, "00000010 00000000 05c248eb 7d98c8ff"},
    {"payload_no_headers",
     {.headers = {}, .payload = "{'foo':'bar'}"},
     "0000001d 00000000 fd528c5a 7b27666f6f273a27626172277d c3653936"},
    {"one_string_header",
     {.headers = {{"content-type", "application/json"}}, .payload = "{'foo':'bar'}"},
     "0000003d 00000020 07fd8396 0c636f6e74656e742d74797065070010"
     "6170706c69636174696f6e2f6a736f6e 7b27666f6f273a27626172277d 8d9c08b1"},
    {"header_no_payload",
     {.headers = {{"a", ""}}, .payload = {}},
     "00000015 00000005 bd483314 "
     "0161070000"
     " 34fdc67b"},
    {"every_type",
     {.headers = every_type, .payload = "x"},
     "00000087 00000076 df8267e2 "
     "0379657300026e6f0102693802cf0369313603002a03693332040000a00f0369"
     "363405ffffffffffffffd60362756606001449276d2061206c6974746c652074"
     "6561706f742103737472070005636166c3a90474696d650800000000007b5cd1"
     "0475756964090102030405060708090a0b0c0d0e0f10"
     " 78 7b3a9a19"},
};

std::string encoded(const Message& message) {
  std::string out;
  const Result<void> result = encode(message, out);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return out;
}

/// All messages of `wire`, fed in pieces of `piece` bytes; ends at the first failure.
struct Decoded {
  std::vector<Message> messages;
  std::string error;
  bool at_boundary;
};
Decoded decoded(std::string_view wire, std::size_t piece) {
  Decoder decoder;
  Decoded all{};
  for (; !wire.empty() && all.error.empty(); wire.remove_prefix(std::min(piece, wire.size()))) {
    decoder.feed(wire.substr(0, piece));
    for (;;) {
      auto message = decoder.next();
      if (!message) all.error = message.error().message;
      if (!message || !*message) break;
      all.messages.push_back(**std::move(message));
    }
  }
  all.at_boundary = decoder.at_boundary();
  return all;
}

std::string failure(std::string_view wire) { return decoded(wire, wire.size()).error; }

/// A message around these bytes whose checksums are right, whatever its lengths say.
std::string sealed(std::uint32_t total, std::uint32_t headers, std::string_view rest) {
  const auto u32 = [](std::uint32_t number) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 0xff);
    return bytes;
  };
  const auto crc = [&](std::string_view bytes) {
    std::uint32_t sum = 0xffffffff;
    for (const char byte : bytes) {
      sum ^= static_cast<unsigned char>(byte);
      for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? 0xedb88320 : 0);
    }
    return u32(~sum);
  };
  std::string wire = u32(total) + u32(headers);
  wire += crc(wire);
  wire += rest;
  return wire + crc(wire);
}

std::string sealed(std::string_view headers) {
  const auto size = static_cast<std::uint32_t>(headers.size());
  return sealed(static_cast<std::uint32_t>(overhead) + size, size, headers);
}

class EventStream : public testing::TestWithParam<Vector> {};

TEST_P(EventStream, EncodesToTheWireForm) {
  EXPECT_EQ(testing::PrintToString(encoded(GetParam().message)),
            testing::PrintToString(unhex(GetParam().wire)));
}

TEST_P(EventStream, EncodesBehindWhatIsThere) {
  std::string out = "before";
  ASSERT_TRUE(encode(GetParam().message, out));
  EXPECT_EQ(out, "before" + unhex(GetParam().wire));
}

TEST_P(EventStream, DecodesInAnyPieces) {
  const std::string wire = unhex(GetParam().wire);
  const std::string three = wire + wire + wire;
  for (std::size_t piece = 1; piece <= three.size(); ++piece) {
    const Decoded all = decoded(three, piece);
    EXPECT_EQ(all.error, "");
    EXPECT_EQ(all.messages, std::vector(3, GetParam().message)) << "in pieces of " << piece;
    EXPECT_TRUE(all.at_boundary);
  }
}

TEST_P(EventStream, EveryFlippedBitIsNoticed) {
  const std::string wire = unhex(GetParam().wire);
  for (std::size_t bit = 0; bit < 8 * wire.size(); ++bit) {
    std::string flipped = wire;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    EXPECT_NE(failure(flipped), "") << "bit " << bit;
  }
}

TEST_P(EventStream, EveryCutWaitsForMore) {
  const std::string wire = unhex(GetParam().wire);
  for (std::size_t size = 1; size < wire.size(); ++size) {
    const Decoded all = decoded(std::string_view(wire).substr(0, size), size);
    EXPECT_EQ(all.error, "");
    EXPECT_TRUE(all.messages.empty());
    EXPECT_FALSE(all.at_boundary);
  }
}

INSTANTIATE_TEST_SUITE_P(Spec, EventStream, testing::ValuesIn(vectors),
                         [](const auto& test) { return test.param.name; });

/// What aws-c-event-stream makes of it.
std::string encoded_by_the_library(const Message& message) {
  aws_array_list list;
  aws_event_stream_headers_list_init(&list, aws_default_allocator());
  for (const Header& header : message.headers) {
    aws_event_stream_header_value_pair pair{};
    pair.header_name_len = static_cast<std::uint8_t>(header.name.size());
    header.name.copy(pair.header_name, sizeof pair.header_name);
    pair.header_value_type = static_cast<aws_event_stream_header_value_type>(header.type);
    pair.header_value_len = static_cast<std::uint16_t>(header.value.size());
    if (header.type == HeaderType::string || header.type == HeaderType::bytes) {
      auto* value = reinterpret_cast<const std::uint8_t*>(header.value.data());
      pair.header_value.variable_len_val = const_cast<std::uint8_t*>(value);
    } else {
      header.value.copy(reinterpret_cast<char*>(pair.header_value.static_val), 16);
    }
    aws_array_list_push_back(&list, &pair);
  }
  const aws_byte_buf payload =
      aws_byte_buf_from_array(message.payload.data(), message.payload.size());
  aws_event_stream_message made;
  EXPECT_EQ(aws_event_stream_message_init(&made, aws_default_allocator(), &list, &payload),
            AWS_OP_SUCCESS);
  const std::string wire(reinterpret_cast<const char*>(aws_event_stream_message_buffer(&made)),
                         aws_event_stream_message_total_length(&made));
  aws_event_stream_message_clean_up(&made);
  aws_event_stream_headers_list_cleanup(&list);
  return wire;
}

class RandomMessages {
 public:
  Message next() {
    Message message;
    for (std::size_t count = below(6); count > 0; --count) message.headers.push_back(header());
    message.payload = bytes(below(2000));
    return message;
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  std::string bytes(std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random_() & 0xff);
    return text;
  }
  Header header() {
    Header header = every_type[below(every_type.size())];
    header.name = bytes(1 + below(max_header_name));
    const bool any_size = header.type == HeaderType::string || header.type == HeaderType::bytes;
    header.value = bytes(any_size ? below(1000) : header.value.size());
    return header;
  }

  std::mt19937 random_{20240523};
};

TEST(EventStreamProperties, TheLibraryEncodesTheSame) {
  RandomMessages messages;
  for (int i = 0; i < 500; ++i) {
    const Message message = messages.next();
    ASSERT_TRUE(encoded(message) == encoded_by_the_library(message)) << "message " << i;
  }
}

TEST(EventStreamProperties, WhatIsDecodedIsWhatWasEncoded) {
  RandomMessages messages;
  std::vector<Message> all;
  std::string wire;
  for (int i = 0; i < 100; ++i) {
    all.push_back(messages.next());
    ASSERT_TRUE(encode(all.back(), wire));
  }
  EXPECT_TRUE(decoded(wire, 777).messages == all);
  std::string again;
  for (const Message& message : decoded(wire, wire.size()).messages) {
    ASSERT_TRUE(encode(message, again));
  }
  EXPECT_TRUE(again == wire);
}

struct Limit {
  std::string name;
  Message fits;
  Message exceeds;
};

void PrintTo(const Limit& limit, std::ostream* out) { *out << limit.name; }

Message with_header(std::string name, std::string value, HeaderType type = HeaderType::string) {
  return {.headers = {{std::move(name), std::move(value), type}}, .payload = "p"};
}

/// Headers of `size` bytes, all together.
Message with_headers(std::size_t size) {
  Message message;
  for (std::size_t left = size; left > 0;) {
    constexpr std::size_t fixed = 5;  // lengths, type, and a name of one byte
    std::size_t whole = std::min(left, max_header_value + fixed);
    if (left != whole && left - whole < fixed) whole -= fixed;
    message.headers.push_back({"n", std::string(whole - fixed, 'v')});
    left -= whole;
  }
  return message;
}

const Limit limits[] = {
    {"header_name_empty", with_header("n", "v"), with_header("", "v")},
    {"header_name", with_header(std::string(255, 'n'), "v"),
     with_header(std::string(256, 'n'), "v")},
    {"header_value", with_header("n", std::string(32767, 'v')),
     with_header("n", std::string(32768, 'v'))},
    {"value_of_its_type", with_header("n", "1234", HeaderType::int32),
     with_header("n", "123", HeaderType::int32)},
    {"no_value_of_a_bool", with_header("n", "", HeaderType::bool_true),
     with_header("n", "1", HeaderType::bool_true)},
    {"headers", with_headers(max_headers_size), with_headers(max_headers_size + 1)},
    {"header_count",
     {.headers = std::vector<Header>(1024, {"n", "v"}), .payload = {}},
     {.headers = std::vector<Header>(1025, {"n", "v"}), .payload = {}}},
    {"message",
     {.headers = {}, .payload = std::string(max_message - overhead, 'p')},
     {.headers = {}, .payload = std::string(max_message - overhead + 1, 'p')}},
};

class EventStreamLimit : public testing::TestWithParam<Limit> {};

TEST_P(EventStreamLimit, IsReadAndWrittenUpToItself) {
  const std::string wire = encoded(GetParam().fits);
  const Decoded all = decoded(wire, wire.size());
  EXPECT_EQ(all.error, "");
  EXPECT_TRUE(all.messages == std::vector{GetParam().fits});
}

TEST_P(EventStreamLimit, IsNotExceeded) {
  std::string out = "before";
  const Result<void> result = encode(GetParam().exceeds, out);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::validation);
  EXPECT_EQ(out, "before");
}

INSTANTIATE_TEST_SUITE_P(Of, EventStreamLimit, testing::ValuesIn(limits),
                         [](const auto& test) { return test.param.name; });

struct Malformed {
  std::string name;
  std::string wire;
  std::string_view error;
};

void PrintTo(const Malformed& malformed, std::ostream* out) { *out << malformed.name; }

const std::string long_value = "\x01n\x07" + unhex("8000") + std::string(0x8000, 'v');

const Malformed malformed[] = {
    {"total_below_16", sealed(15, 0, ""), "its lengths contradict each other"},
    {"total_zero", sealed(0, 0, ""), "its lengths contradict each other"},
    {"headers_over_total", sealed(17, 2, "x"), "its lengths contradict each other"},
    {"headers_wrap_around", sealed(16, 0xfffffff0, ""), "its lengths contradict each other"},
    {"total_over_24_MiB", sealed(24 * 1024 * 1024 + 1, 0, ""), "a message exceeds 24 MiB"},
    {"total_4_GiB", sealed(0xffffffff, 0, ""), "a message exceeds 24 MiB"},
    {"headers_over_128_KiB", sealed(200000, 131073, ""), "the headers exceed 128 KiB"},
    {"nameless_header", sealed(std::string_view("\0\x07\0\x01v", 5)), "a header has no name"},
    {"unknown_type", sealed("\x01n\x0a"), "a header has an unknown type"},
    {"unknown_type_255", sealed("\x01n\xff"), "a header has an unknown type"},
    {"name_past_the_headers", sealed("\x05n"), "the headers cannot be read"},
    {"no_type", sealed("\x01n"), "the headers cannot be read"},
    {"no_value_length", sealed(std::string_view("\x01n\x07\0", 4)), "the headers cannot be read"},
    {"value_past_the_headers", sealed(std::string_view("\x01n\x07\0\x02v", 6)),
     "the headers cannot be read"},
    {"int_past_the_headers", sealed("\x01n\x04int"), "the headers cannot be read"},
    {"value_over_32767", sealed(long_value), "the headers cannot be read"},
    {"a_text_page", "HTTP/1.1 200 OK\r\n\r\n", "the prelude's checksum does not match"},
};

class EventStreamMalformed : public testing::TestWithParam<Malformed> {};

TEST_P(EventStreamMalformed, IsRefused) {
  EXPECT_EQ(failure(GetParam().wire),
            "The event stream is malformed: " + std::string(GetParam().error) + ".");
}

TEST_P(EventStreamMalformed, IsRefusedForGood) {
  Decoder decoder;
  decoder.feed(GetParam().wire);
  ASSERT_FALSE(decoder.next());
  decoder.feed(encoded({}));
  const auto after = decoder.next();
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, ErrorCode::validation);
  EXPECT_FALSE(decoder.at_boundary());
}

INSTANTIATE_TEST_SUITE_P(Wire, EventStreamMalformed, testing::ValuesIn(malformed),
                         [](const auto& test) { return test.param.name; });

TEST(EventStreamMalformedAfter, WhatCameBeforeIsStillGivenOut) {
  const Decoded all = decoded(encoded(vectors[1].message) + sealed("\x01n\x0a"), 1000);
  EXPECT_EQ(all.messages, std::vector{vectors[1].message});
  EXPECT_NE(all.error, "");
}

TEST(MessageWriter, TakesAwayWhatWasNotFinished) {
  std::string out = "before";
  {
    MessageWriter writer(out);
    writer.add_header("name", "value");
    writer.payload() += "payload";
  }
  EXPECT_EQ(out, "before");
}

}  // namespace
}  // namespace craton::event_stream
