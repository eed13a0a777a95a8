#include "http/request_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace craton::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr ReaderLimits small_limits{.header_bytes_max = 1024, .body_bytes_max = 100};

/// What came out, as text: one line a request ("POST /x [host=h] {body} keep"), then the phase or
/// the refusal's status.
std::string drain(RequestReader& reader) {
  std::string out;
  while (true) {
    auto next = reader.next();
    if (!next) return out + std::to_string(next.error().status);
    if (!*next) return out;
    const Request& request = (*next)->request;
    out += request.method + " " + request.target + " [";
    for (const Header& field : request.headers) out += field.name + "=" + field.value + ";";
    out += "] {" + request.body + "}" + ((*next)->keep_alive ? " keep\n" : " close\n");
  }
}

std::string end_of(const RequestReader& reader) {
  constexpr const char* names[] = {"idle", "head", "body"};
  return names[static_cast<int>(reader.phase())];
}

std::string read_in_pieces(std::string_view bytes, std::size_t piece,
                           const ReaderLimits& limits = small_limits) {
  RequestReader reader(limits);
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += piece) {
    reader.feed(bytes.substr(i, piece));
    const std::string got = drain(reader);
    out += got;
    if (!got.empty() && got.back() != '\n') return out;
  }
  return out + end_of(reader);
}

std::string read(std::string_view bytes, const ReaderLimits& limits = small_limits) {
  return read_in_pieces(bytes, std::max<std::size_t>(bytes.size(), 1), limits);
}

struct Case {
  const char* name;
  std::string bytes;
  std::string expected;
};

void PrintTo(const Case& c, std::ostream* out) { *out << testing::PrintToString(c.bytes); }

std::string name_of(const testing::TestParamInfo<Case>& info) { return info.param.name; }

class RequestReaderTable : public testing::TestWithParam<Case> {};

TEST_P(RequestReaderTable, ReadsWhatIsExpected) {
  EXPECT_EQ(read(GetParam().bytes), GetParam().expected);
}

TEST_P(RequestReaderTable, ReadsTheSameHoweverTheBytesAreCut) {
  const std::string& bytes = GetParam().bytes;
  for (std::size_t piece = 1; piece < std::min<std::size_t>(bytes.size(), 300); ++piece) {
    ASSERT_EQ(read_in_pieces(bytes, piece), GetParam().expected) << "pieces of " << piece;
  }
}

std::string get_with(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string post_with(const std::string& rest) { return "POST / HTTP/1.1\r\nHost: h\r\n" + rest; }
std::string chunked(const std::string& body) {
  return post_with("Transfer-Encoding: chunked\r\n\r\n" + body);
}
const std::string chunked_head = "POST / [Host=h;Transfer-Encoding=chunked;] ";

const Case requests[] = {
    {"nothing", "", "idle"},
    {"get", "GET /a?b=%20c HTTP/1.1\r\nHost: h:80\r\n\r\n",
     "GET /a?b=%20c [Host=h:80;] {} keep\nidle"},
    {"any_method", "PURGE /a HTTP/1.1\r\nHost:\r\n\r\n", "PURGE /a [Host=;] {} keep\nidle"},
    {"blanks_around_value", get_with("A: \t b c \t\r\n"), "GET / [Host=h;A=b c;] {} keep\nidle"},
    {"empty_value", get_with("A:\r\n"), "GET / [Host=h;A=;] {} keep\nidle"},
    {"utf8_value", get_with("A: 서울\r\n"), "GET / [Host=h;A=서울;] {} keep\nidle"},
    {"ipv6_host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
     "GET / [Host=[::1]:80;] {} keep\nidle"},
    {"sized_body", post_with("content-LENGTH: 5\r\n\r\nhello"),
     "POST / [Host=h;content-LENGTH=5;] {hello} keep\nidle"},
    {"length_zero", post_with("Content-Length: 0\r\n\r\n"),
     "POST / [Host=h;Content-Length=0;] {} keep\nidle"},
    {"length_with_zeros", post_with("Content-Length: 005\r\n\r\nhello"),
     "POST / [Host=h;Content-Length=005;] {hello} keep\nidle"},
    {"body_of_the_limit", post_with("Content-Length: 100\r\n\r\n" + std::string(100, 'x')),
     "POST / [Host=h;Content-Length=100;] {" + std::string(100, 'x') + "} keep\nidle"},
    {"get_with_body", get_with("Content-Length: 2\r\n") + "ab",
     "GET / [Host=h;Content-Length=2;] {ab} keep\nidle"},
    {"chunks", chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
     chunked_head + "{hello world} keep\nidle"},
    {"chunks_hex", chunked("00a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),
     chunked_head + "{01234567890123456789} keep\nidle"},
    {"chunk_extensions", chunked("1;a;b=\"c\"\r\nx\r\n0;z\r\n\r\n"),
     chunked_head + "{x} keep\nidle"},
    {"trailers_are_dropped", chunked("1\r\nx\r\n0\r\nContent-Length: 9\r\nA: b\r\n\r\n"),
     chunked_head + "{x} keep\nidle"},
    {"chunked_in_capitals", post_with("Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n"),
     "POST / [Host=h;Transfer-Encoding=Chunked;] {} keep\nidle"},
    {"line_ends_in_chunk_data", chunked("4\r\n\r\n\r\n\r\n0\r\n\r\n"),
     chunked_head + "{\r\n\r\n} keep\nidle"},
    {"pipelined", get_with("") + post_with("Content-Length: 1\r\n\r\nx") + get_with("A: b\r\n"),
     "GET / [Host=h;] {} keep\nPOST / [Host=h;Content-Length=1;] {x} keep\n"
     "GET / [Host=h;A=b;] {} keep\nidle"},
    {"pipelined_behind_chunks", chunked("1\r\nx\r\n0\r\n\r\n") + get_with(""),
     chunked_head + "{x} keep\nGET / [Host=h;] {} keep\nidle"},
    {"blank_line_before", "\r\n" + get_with(""), "GET / [Host=h;] {} keep\nidle"},
    {"blank_line_after_body", post_with("Content-Length: 1\r\n\r\nx\r\n"),
     "POST / [Host=h;Content-Length=1;] {x} keep\nidle"},
    {"close", get_with("Connection: close\r\n"), "GET / [Host=h;Connection=close;] {} close\nidle"},
    {"close_in_a_list", get_with("Connection: x ,\tCLOSE\r\n"),
     "GET / [Host=h;Connection=x ,\tCLOSE;] {} close\nidle"},
    {"close_wins", get_with("Connection: keep-alive\r\nConnection: close\r\n"),
     "GET / [Host=h;Connection=keep-alive;Connection=close;] {} close\nidle"},
    {"http_1_0", "GET / HTTP/1.0\r\n\r\n", "GET / [] {} close\nidle"},
    {"http_1_0_kept", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
     "GET / [Connection=Keep-Alive;] {} keep\nidle"},
    {"http_1_9_is_1_1", "GET / HTTP/1.9\r\nHost: h\r\n\r\n", "GET / [Host=h;] {} keep\nidle"},
    {"absolute_form", "GET http://h:8/a?b HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET /a?b [Host=h;] {} keep\nidle"},
    {"absolute_form_no_path", "GET HTTP://h HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET / [Host=h;] {} keep\nidle"},
    {"absolute_form_query", "GET http://h?a HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET /?a [Host=h;] {} keep\nidle"},
    {"options_of_the_server", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
     "OPTIONS * [Host=h;] {} keep\nidle"},
    {"in_the_request_line", "GET /", "head"},
    {"in_a_header", "GET / HTTP/1.1\r\nHo", "head"},
    {"before_the_blank_line", "GET / HTTP/1.1\r\nHost: h\r\n", "head"},
    {"in_a_body", post_with("Content-Length: 5\r\n\r\nhell"), "body"},
    {"in_a_chunk", chunked("5\r\nhell"), "body"},
    {"before_the_last_chunk", chunked("5\r\nhello\r\n"), "body"},
    {"in_trailers", chunked("0\r\nA: b\r\n"), "body"},
    {"blank_line_only", "\r\n", "idle"},
};
INSTANTIATE_TEST_SUITE_P(Requests, RequestReaderTable, testing::ValuesIn(requests), name_of);

const Case refusals[] = {
    // The request line.
    {"tls_handshake", "\x16\x03\x01\x02", "400"},
    {"blank_first", " GET / HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
    {"two_blank_lines", "\r\n\r\n" + get_with(""), "400"},
    {"bare_lf_before", "\n" + get_with(""), "400"},
    {"two_blanks_after_method", "GET  / HTTP/1.1\r\n", "400"},
    {"two_blanks_after_target", "GET /  HTTP/1.1\r\n", "400"},
    {"blank_in_target", "GET /a b HTTP/1.1\r\n", "400"},
    {"tab_for_blank", "GET\t/ HTTP/1.1\r\n", "400"},
    {"blank_at_the_end", "GET / HTTP/1.1 \r\n", "400"},
    {"no_version", "GET /\r\n", "400"},
    {"no_target", "GET HTTP/1.1\r\n", "400"},
    {"method_not_a_token", "G(T / HTTP/1.1\r\n", "400"},
    {"target_not_ascii", "GET /\xc3\xa4 HTTP/1.1\r\n", "400"},
    {"nul_in_target", std::string("GET /\0 HTTP/1.1\r\n", 17), "400"},
    {"target_no_path", "GET a HTTP/1.1\r\n", "400"},
    {"connect", "CONNECT h:80 HTTP/1.1\r\n", "400"},
    {"star_of_get", "GET * HTTP/1.1\r\n", "400"},
    {"absolute_form_no_host", "GET http:///a HTTP/1.1\r\n", "400"},
    {"absolute_form_user", "GET http://u@h/ HTTP/1.1\r\n", "400"},
    {"request_line_bare_lf", "GET / HTTP/1.1\nHost: h\r\n\r\n", "400"},
    {"request_line_two_crs", "GET / HTTP/1.1\r\r\n", "400"},
    {"version_in_lower_case", "GET / http/1.1\r\n", "400"},
    {"version_too_long", "GET / HTTP/1.10\r\n", "400"},
    {"version_without_dot", "GET / HTTP/1,1\r\n", "400"},
    {"version_0_9", "GET / HTTP/0.9\r\n", "505"},
    {"version_2", "GET / HTTP/2.0\r\n", "505"},
    {"http_2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
    // Header fields.
    {"blank_before_colon", get_with("A : b\r\n"), "400"},
    {"tab_before_colon", get_with("A\t: b\r\n"), "400"},
    {"no_colon", get_with("A\r\n"), "400"},
    {"empty_name", get_with(": b\r\n"), "400"},
    {"name_not_a_token", get_with("A(: b\r\n"), "400"},
    {"name_not_ascii", get_with("\xc3\xa4: b\r\n"), "400"},
    {"folded_line", get_with("A: b\r\n c\r\n"), "400"},
    {"folded_line_tab", get_with("A: b\r\n\tc\r\n"), "400"},
    {"folded_first_line", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", "400"},
    {"header_bare_lf", "GET / HTTP/1.1\r\nHost: h\n\r\n", "400"},
    {"header_bare_cr", get_with("A: b\rc\r\n"), "400"},
    {"header_end_bare_lf", "GET / HTTP/1.1\r\nHost: h\r\n\n", "400"},
    {"nul_in_value", get_with(std::string("A: b\0c\r\n", 8)), "400"},
    {"nul_in_name", get_with(std::string("A\0: b\r\n", 7)), "400"},
    {"control_in_value", get_with("A: b\x01\r\n"), "400"},
    {"delete_in_value", get_with("A: b\x7f\r\n"), "400"},
    {"no_host", "GET / HTTP/1.1\r\n\r\n", "400"},
    {"two_hosts", get_with("host: h\r\n"), "400"},
    {"two_hosts_http_1_0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
    {"host_with_blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
    {"host_with_slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
    {"host_with_user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400"},
    // Lengths.
    {"length_empty", post_with("Content-Length:\r\n\r\n"), "400"},
    {"length_plus", post_with("Content-Length: +5\r\n\r\nhello"), "400"},
    {"length_minus", post_with("Content-Length: -5\r\n\r\nhello"), "400"},
    {"length_minus_zero", post_with("Content-Length: -0\r\n\r\n"), "400"},
    {"length_hex", post_with("Content-Length: 0x5\r\n\r\nhello"), "400"},
    {"length_fraction", post_with("Content-Length: 5.0\r\n\r\nhello"), "400"},
    {"length_letters", post_with("Content-Length: five\r\n\r\nhello"), "400"},
    {"length_blank_inside", post_with("Content-Length: 1 1\r\n\r\nhello"), "400"},
    {"length_list", post_with("Content-Length: 5, 5\r\n\r\nhello"), "400"},
    {"length_overflow", post_with("Content-Length: 18446744073709551621\r\n\r\nhello"), "400"},
    {"two_lengths", post_with("Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), "400"},
    {"two_equal_lengths", post_with("Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), "400"},
    {"length_and_coding", post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
     "400"},
    {"coding_and_length", post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
     "400"},
    // Transfer codings.
    {"coding_identity", post_with("Transfer-Encoding: identity\r\n\r\n"), "400"},
    {"coding_xchunked", post_with("Transfer-Encoding: xchunked\r\n\r\n"), "400"},
    {"coding_chunkedx", post_with("Transfer-Encoding: chunkedx\r\n\r\n"), "400"},
    {"coding_chunked_identity", post_with("Transfer-Encoding: chunked, identity\r\n\r\n"), "400"},
    {"coding_chunked_twice", post_with("Transfer-Encoding: chunked, chunked\r\n\r\n"), "400"},
    {"coding_chunked_in_two_fields",
     post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), "400"},
    {"coding_hidden_in_a_second_field",
     post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"), "400"},
    {"coding_empty", post_with("Transfer-Encoding:\r\n\r\n"), "400"},
    {"coding_empty_element", post_with("Transfer-Encoding: ,chunked\r\n\r\n"), "400"},
    {"coding_comma_at_the_end", post_with("Transfer-Encoding: chunked,\r\n\r\n"), "400"},
    {"coding_parameter", post_with("Transfer-Encoding: chunked;a=b\r\n\r\n"), "400"},
    {"coding_quoted", post_with("Transfer-Encoding: \"chunked\"\r\n\r\n"), "400"},
    {"coding_vertical_tab",
     post_with("Transfer-Encoding: \x0b"
               "chunked\r\n\r\n"),
     "400"},
    {"coding_http_1_0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
    {"coding_gzip", post_with("Transfer-Encoding: gzip\r\n\r\n"), "400"},
    {"coding_gzip_chunked", post_with("Transfer-Encoding: gzip, chunked\r\n\r\n"), "501"},
    {"coding_gzip_chunked_two_fields",
     post_with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"), "501"},
    // Chunks.
    {"chunk_size_empty", chunked("\r\n"), "400"},
    {"chunk_size_letters", chunked("x\r\n"), "400"},
    {"chunk_size_prefix", chunked("0x5\r\nhello\r\n"), "400"},
    {"chunk_size_plus", chunked("+5\r\nhello\r\n"), "400"},
    {"chunk_size_minus", chunked("-5\r\nhello\r\n"), "400"},
    {"chunk_size_blank_before", chunked(" 5\r\nhello\r\n"), "400"},
    {"chunk_size_blank_after", chunked("5 \r\nhello\r\n"), "400"},
    {"chunk_size_overflow", chunked("10000000000000005\r\nhello\r\n"), "400"},
    {"chunk_size_largest", chunked("ffffffffffffffff\r\n"), "413"},
    {"chunk_size_bare_lf", chunked("5\nhello\r\n"), "400"},
    {"chunk_extension_bare_lf", chunked("5;a\nhello\r\n"), "400"},
    {"chunk_extension_bare_cr", chunked("5;a\rb\r\nhello\r\n"), "400"},
    {"chunk_extension_nul", chunked(std::string("5;\0\r\nhello\r\n", 12)), "400"},
    {"chunk_line_too_long", chunked("5;" + std::string(chunk_line_bytes_max, 'a') + "\r\n"), "400"},
    {"chunk_longer_than_said", chunked("4\r\nhello\r\n0\r\n\r\n"), "400"},
    {"chunk_shorter_than_said", chunked("6\r\nhello\r\n0\r\n\r\n"), "400"},
    {"chunk_end_bare_lf", chunked("5\r\nhello\n0\r\n\r\n"), "400"},
    {"trailer_blank_before_colon", chunked("0\r\nA : b\r\n\r\n"), "400"},
    {"trailer_folded", chunked("0\r\nA: b\r\n c\r\n\r\n"), "400"},
    {"trailer_bare_lf", chunked("0\r\n\n"), "400"},
    // Limits.
    {"body_one_too_long", post_with("Content-Length: 101\r\n\r\n"), "413"},
    {"length_largest", post_with("Content-Length: 9999999999999999999\r\n\r\n"), "413"},
    {"chunk_too_large", chunked("65\r\n"), "413"},
    {"chunks_too_large", chunked("64\r\n" + std::string(100, 'x') + "\r\n1\r\n"), "413"},
    {"request_line_too_long", "GET /" + std::string(1024, 'a') + " HTTP/1.1\r\n\r\n", "414"},
    {"request_line_endless", std::string(1025, 'a'), "414"},
    {"header_too_large", get_with("A: " + std::string(1000, 'b') + "\r\n"), "431"},
    {"header_endless", "GET / HTTP/1.1\r\nA: " + std::string(1024, 'b'), "431"},
    {"trailers_too_large", chunked("0\r\nA: " + std::string(1024, 'b') + "\r\n\r\n"), "431"},
    // What comes after a refusal is never looked at.
    {"refused_for_good", "G(T / HTTP/1.1\r\n\r\n" + get_with(""), "400"},
    {"refused_behind_a_good_one", get_with("") + "bad\r\n" + get_with(""),
     "GET / [Host=h;] {} keep\n400"},
};
INSTANTIATE_TEST_SUITE_P(Refusals, RequestReaderTable, testing::ValuesIn(refusals), name_of);

TEST(RequestReader, TakesAHeaderOfExactlyTheLimit) {
  const std::string head = get_with("A: b\r\n");
  EXPECT_THAT(read(head, {.header_bytes_max = head.size()}), HasSubstr("A=b"));
  EXPECT_EQ(read(head, {.header_bytes_max = head.size() - 1}), "431");
}

TEST(RequestReader, RefusesMoreFieldsThanAreReasonable) {
  std::string fields;
  for (std::size_t i = 1; i < header_fields_max; ++i) fields += "a:\r\n";  // and Host
  EXPECT_THAT(read(get_with(fields), ReaderLimits()), HasSubstr("keep"));
  EXPECT_EQ(read(get_with(fields + "a:\r\n"), ReaderLimits()), "431");
}

TEST(RequestReader, BoundsTheChunkExtensionsOfABody) {
  const std::string chunk = "1;" + std::string(1000, 'a') + "\r\nx\r\n";
  std::string body;
  for (int i = 0; i < 16; ++i) body += chunk;
  EXPECT_THAT(read(chunked(body + "0\r\n\r\n")), HasSubstr("keep"));
  EXPECT_EQ(read(chunked(body + chunk)), "400");
}

TEST(RequestReader, ReasonsAreSentences) {
  RequestReader reader(small_limits);
  reader.feed(get_with("A : b\r\n"));
  EXPECT_EQ(reader.next().error().reason, "The name of a header field is malformed.");
}

TEST(RequestReader, SaysOnceThatTheClientWaitsToBeAskedForTheBody) {
  RequestReader reader(small_limits);
  reader.feed(post_with("Content-Length: 5\r\nExpect: 100-Continue\r\n"));
  EXPECT_FALSE(*reader.next());
  EXPECT_FALSE(reader.take_continue()) << "the head is not complete";
  reader.feed("\r\n");
  EXPECT_FALSE(*reader.next());
  EXPECT_TRUE(reader.take_continue());
  EXPECT_FALSE(reader.take_continue());
  reader.feed("hello");
  EXPECT_EQ((*reader.next())->request.body, "hello");
}

TEST(RequestReader, DoesNotAskForABodyThatIsComing) {
  for (const char* rest : {"Content-Length: 5\r\nExpect: 100-continue\r\n\r\nh",
                           "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n5"}) {
    RequestReader reader(small_limits);
    reader.feed(post_with(rest));
    EXPECT_FALSE(*reader.next());
    EXPECT_FALSE(reader.take_continue());
  }
}

TEST(RequestReader, DoesNotCarryAnythingOverToTheNextRequest) {
  RequestReader reader(small_limits);
  reader.feed(post_with("Content-Length: 1\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nx"));
  EXPECT_FALSE((*reader.next())->keep_alive);
  reader.feed(post_with("Transfer-Encoding: chunked\r\n\r\n"));
  EXPECT_FALSE(*reader.next());
  EXPECT_FALSE(reader.take_continue());
  reader.feed("0\r\n\r\n");
  auto second = reader.next();
  EXPECT_TRUE((*second)->keep_alive);
  EXPECT_EQ((*second)->request.body, "");
}

// A client that never stops pipelining never lets the buffer run dry.
TEST(RequestReader, UsesBoundedMemoryForEndlessPipelining) {
  RequestReader reader(small_limits);
  const std::string request = get_with("");
  std::string stream;
  for (int i = 0; i < 10'000; ++i) stream += request;
  for (std::size_t i = 0; i < stream.size(); i += 7) {
    reader.feed(std::string_view(stream).substr(i, 7));
    while (*reader.next()) {
    }
    ASSERT_LT(reader.buffer_capacity(), 1024u);
  }
}

TEST(RequestReader, KeepsNoLargeBufferBetweenRequests) {
  RequestReader reader({});
  reader.feed(get_with("A: " + std::string(10'000, 'b') + "\r\n"));
  EXPECT_TRUE(*reader.next());
  EXPECT_FALSE(*reader.next());
  EXPECT_LT(reader.buffer_capacity(), 5000u);
}

TEST(RequestReader, ReadsALargeBodyInOddPieces) {
  std::string body(3'000'000, '\0');
  std::mt19937 random(7);
  for (char& c : body) c = static_cast<char>(random());
  const std::string bytes = post_with("Content-Length: 3000000\r\n\r\n") + body + get_with("");
  RequestReader reader({});
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t piece = 1 + random() % 70'000;
    reader.feed(std::string_view(bytes).substr(i, piece));
    i += piece;
    if (i >= bytes.size()) break;
    ASSERT_FALSE(*reader.next());
  }
  EXPECT_TRUE((*reader.next())->request.body == body);
  EXPECT_EQ((*reader.next())->request.method, "GET");
}

}  // namespace
}  // namespace craton::http
