#include "sigv4/claim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace craton::sigv4 {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A request, as it arrives.
struct Message {
  std::string method = "POST";
  std::string target = "/model/anthropic.claude-v2%3A1/invoke";
  std::string body = R"({"prompt":"hi"})";
  std::map<std::string, std::string> headers = {{"host", "localhost:8420"},
                                                {"x-amz-date", "20261123T120000Z"},
                                                {"content-type", "application/json"}};

  SignedRequest view() const {
    return {method, target, body, [this](std::string_view name) -> std::optional<std::string> {
              const auto found = headers.find(std::string(name));
              if (found == headers.end()) return std::nullopt;
              return found->second;
            }};
  }

  void authorize(std::string_view credential = "AKID/20261123/us-east-1/bedrock/aws4_request",
                 std::string_view names = "content-type;host;x-amz-date") {
    headers["authorization"] = "AWS4-HMAC-SHA256 Credential=" + std::string(credential) +
                               ", SignedHeaders=" + std::string(names) + ", Signature=0";
    const auto claim = read_claim(view());
    if (!claim) return;
    const std::string hash = hex_of(bytes_of(sha256(body)));
    const std::size_t mark = target.find('?');
    const MessageToSign message{.method = method,
                                .path = std::string_view(target).substr(0, mark),
                                .query = mark == std::string::npos
                                             ? std::string_view()
                                             : std::string_view(target).substr(mark + 1),
                                .signed_headers = claim->signed_headers,
                                .payload_hash = hash};
    const auto canonical = canonical_request(message, view().header);
    headers["authorization"].back() = ' ';
    headers["authorization"] += signature(signing_key(secret, claim->scope()),
                                          string_to_sign(claim->date, claim->scope(), *canonical));
  }
};

Result<void> verified(const Message& message) {
  CRATON_TRY_ASSIGN(const Claim claim, read_claim(message.view()));
  return verify(message.view(), claim, signing_key(secret, claim.scope()));
}

std::string refusal(const Result<void>& result) {
  return result ? ""
                : std::string(shape_of(result.error().code).name) + ": " + result.error().message;
}

std::string unreadable(const Message& message) {
  const auto claim = read_claim(message.view());
  return claim ? "" : std::string(shape_of(claim.error().code).name) + ": " + claim.error().message;
}

WallTime at(std::string_view date) {
  Message message;
  message.headers["x-amz-date"] = date;
  message.authorize();
  return read_claim(message.view())->at;
}

// Source: the example of "Create a signed AWS API request" in the IAM User Guide (its signing key).
TEST(SigningKey, IsTheGuides) {
  const Sha256Digest key =
      signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", {"20120215", "us-east-1", "iam"});
  EXPECT_EQ(hex_of(bytes_of(key)),
            "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
}

// Source: "get-vanilla-query-order-key-case" of the published test suite.
TEST(Signature, IsThatOfThePublishedSuite) {
  const MessageToSign message{
      .method = "GET",
      .path = "/",
      .query = "Param2=value2&Param1=value1",
      .signed_headers = "host;x-amz-date",
      .payload_hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"};
  const auto canonical =
      canonical_request(message, [](std::string_view name) -> std::optional<std::string> {
        return name == "host" ? "example.amazonaws.com" : "20150830T123600Z";
      });
  const Scope scope{"20150830", "us-east-1", "service"};
  EXPECT_EQ(
      signature(signing_key(secret, scope), string_to_sign("20150830T123600Z", scope, *canonical)),
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TEST(CanonicalRequest, EncodesThePathOnceMore) {
  EXPECT_EQ(canonical_path("/model/a%3A1/invoke"), "/model/a%253A1/invoke");
  EXPECT_EQ(canonical_path("/model/a:1/invoke"), "/model/a%3A1/invoke");
  EXPECT_EQ(canonical_path(""), "/");
}

TEST(CanonicalRequest, SortsTheQuery) {
  EXPECT_EQ(canonical_query("b=2&a=%2f&a=1&c&X-Amz-Signature=0", QueryForm::encoded_anew),
            "a=%2F&a=1&b=2&c=");
  EXPECT_EQ(canonical_query("b=2&a=%2f", QueryForm::as_sent), "a=%2f&b=2");
}

TEST(CanonicalRequest, JoinsTheSpacesOfAValue) {
  EXPECT_EQ(canonical_value("  a   b\t c "), "a b c");
}

TEST(Verify, TakesWhatWasSignedAndNothingElse) {
  Message message;
  message.authorize();
  EXPECT_EQ(refusal(verified(message)), "");
  const auto changed = [&](auto change) {
    Message other = message;
    change(other);
    return refusal(verified(other));
  };
  const auto mismatch =
      StartsWith("InvalidSignatureException: The request signature we calculated");
  EXPECT_THAT(changed([](Message& m) { m.body += ' '; }), mismatch);
  EXPECT_THAT(changed([](Message& m) { m.method = "PUT"; }), mismatch);
  EXPECT_THAT(changed([](Message& m) { m.target += "?a=1"; }), mismatch);
  EXPECT_THAT(changed([](Message& m) { m.headers["content-type"] = "text/plain"; }), mismatch);
  EXPECT_THAT(changed([](Message& m) { m.headers.erase("content-type"); }), mismatch);
  EXPECT_EQ(changed([](Message& m) { m.headers["accept"] = "unsigned"; }), "");
}

TEST(Verify, SaysWhatShouldHaveBeenSigned) {
  Message message;
  message.authorize();
  message.headers["authorization"].back() = '_';
  EXPECT_THAT(
      refusal(verified(message)),
      HasSubstr("\n\nThe Canonical String for this request should have been\n'POST\n"
                "/model/anthropic.claude-v2%253A1/invoke\n\ncontent-type:application/json\n"));
  EXPECT_THAT(refusal(verified(message)),
              HasSubstr("\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n"
                        "20261123T120000Z\n20261123/us-east-1/bedrock/aws4_request\n"));
}

TEST(Verify, WantsTheHostToBeSigned) {
  Message message;
  message.authorize("AKID/20261123/us-east-1/bedrock/aws4_request", "x-amz-date");
  EXPECT_THAT(refusal(verified(message)), HasSubstr("must be a 'SignedHeader'"));
}

TEST(Verify, TakesAnUnsignedBodyWhereTheRequestSaysSo) {
  Message message;
  message.headers["x-amz-content-sha256"] = unsigned_payload;
  message.authorize();
  message.body = "another";
  EXPECT_THAT(refusal(verified(message)), HasSubstr("UNSIGNED-PAYLOAD"));
}

TEST(ReadClaim, SaysWhatIsMissing) {
  Message message;
  EXPECT_EQ(unreadable(message),
            "MissingAuthenticationTokenException: Missing Authentication Token");
  message.headers["authorization"] = "Bearer abc";
  EXPECT_EQ(unreadable(message),
            "MissingAuthenticationTokenException: Missing Authentication Token");
  message.headers["authorization"] =
      "AWS4-HMAC-SHA256 Credential=A/20261123/r/bedrock/aws4_request";
  EXPECT_THAT(unreadable(message),
              StartsWith("IncompleteSignatureException: Authorization header requires 'Signature' "
                         "parameter. Authorization header requires 'SignedHeaders' parameter. "
                         "(Hashed with SHA-256 and encoded with Base64) Authorization="));
  message.authorize("A/20261123/bedrock/aws4_request");
  EXPECT_THAT(unreadable(message), HasSubstr("exactly 5 slash-delimited elements"));
  message.authorize("A/20261123/us-east-1/bedrock/aws5_request");
  EXPECT_THAT(unreadable(message),
              HasSubstr("valid terminator: 'aws4_request', not 'aws5_request'."));
  for (const char* date : {"20260230T000000Z", "00270101T000000Z", "99990101T000000Z"}) {
    message.headers["x-amz-date"] = date;
    message.authorize();
    EXPECT_THAT(unreadable(message), HasSubstr("Date must be in ISO-8601 'basic format'."));
  }
  message.headers.erase("x-amz-date");
  message.authorize();
  EXPECT_THAT(unreadable(message), HasSubstr("either a 'X-Amz-Date' or a 'Date' header."));
  message.headers["date"] = "Mon, 23 Nov 2026 12:00:00 GMT";
  message.authorize("AKID/20261123/us-east-1/bedrock/aws4_request", "date;host");
  EXPECT_EQ(refusal(verified(message)), "");
  message.headers["authorization"] = "AWS4-ECDSA-P256-SHA256 Credential=A";
  EXPECT_THAT(unreadable(message),
              HasSubstr("Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'."));
}

TEST(CheckClaim, HoldsItAgainstTimeRegionAndService) {
  Message message;
  message.authorize();
  const Claim claim = *read_claim(message.view());
  const auto told = [&](std::string_view now, std::string_view region = "us-east-1",
                        std::string_view service = "bedrock") {
    return refusal(check_claim(claim, {region, service, at(now)}));
  };
  EXPECT_EQ(told("20261123T120000Z"), "");
  EXPECT_EQ(told("20261123T120500Z"), "");
  EXPECT_EQ(told("20261123T115500Z"), "");
  EXPECT_EQ(told("20261123T120501Z"),
            "InvalidSignatureException: Signature expired: 20261123T120000Z is now earlier than "
            "20261123T120001Z (20261123T120501Z - 5 min.)");
  EXPECT_EQ(told("20261123T115459Z"),
            "InvalidSignatureException: Signature not yet current: 20261123T120000Z is still later "
            "than 20261123T115959Z (20261123T115459Z + 5 min.)");
  EXPECT_THAT(told("20261123T120000Z", "eu-west-1"), HasSubstr("not 'us-east-1'"));
  EXPECT_THAT(told("20261123T120000Z", "us-east-1", "s3"), HasSubstr("correct service: 's3'"));
  Message other;
  other.authorize("AKID/20261122/us-east-1/bedrock/aws4_request");
  EXPECT_THAT(refusal(check_claim(*read_claim(other.view()),
                                  {"us-east-1", "bedrock", at("20261123T120000Z")})),
              HasSubstr("'20261122' != '20261123', from '20261123T120000Z'."));
}

}  // namespace
}  // namespace craton::sigv4
