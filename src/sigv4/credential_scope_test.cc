#include "sigv4/credential_scope.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace craton::sigv4 {

void PrintTo(const CredentialScope& scope, std::ostream* out) {
  *out << scope.access_key_id << '|' << scope.date << '|' << scope.region << '|' << scope.service;
}

namespace {

struct Vector {
  std::string name;
  std::string_view header;
  std::optional<CredentialScope> scope;
};

void PrintTo(const Vector& vector, std::ostream* out) { *out << vector.name; }

constexpr CredentialScope bedrock{"AKIDEXAMPLE", "20261123", "us-east-1", "bedrock"};

const Vector vectors[] = {
    {"As_botocore_sends_it",
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/bedrock/aws4_request, "
     "SignedHeaders=host;x-amz-date, Signature=0123abcd",
     bedrock},
    {"Without_spaces",
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/bedrock/aws4_request,"
     "SignedHeaders=host,Signature=0123abcd",
     bedrock},
    {"Parameters_in_another_order",
     "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=0123abcd, "
     "Credential=AKIDEXAMPLE/20261123/us-east-1/bedrock/aws4_request",
     bedrock},
    {"Blanks_around_everything",
     "  AWS4-HMAC-SHA256 \t Credential=AKIDEXAMPLE/20261123/us-east-1/bedrock/aws4_request ,  ",
     bedrock},
    {"No_signature_is_still_a_claim",
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/bedrock/aws4_request", bedrock},
    {"An_empty_Region",
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123//bedrock/aws4_request, SignedHeaders=host",
     CredentialScope{"AKIDEXAMPLE", "20261123", "", "bedrock"}},
    {"A_key_id_with_slashes",
     "AWS4-HMAC-SHA256 Credential=a/b/20261123/us-east-1/bedrock/aws4_request",
     CredentialScope{"a/b", "20261123", "us-east-1", "bedrock"}},
    {"SigV4A_has_no_Region",
     "AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20261123/bedrock/aws4_request, "
     "SignedHeaders=host;x-amz-region-set",
     CredentialScope{"AKIDEXAMPLE", "20261123", "", "bedrock"}},
    {"Empty", "", std::nullopt},
    {"Only_blanks", "   ", std::nullopt},
    {"A_bearer_token", "Bearer bedrock-api-key-abc", std::nullopt},
    {"Another_algorithm",
     "AWS4-HMAC-SHA1 Credential=AKIDEXAMPLE/20261123/us-east-1/bedrock/aws4_request", std::nullopt},
    {"Only_the_algorithm", "AWS4-HMAC-SHA256", std::nullopt},
    {"No_credential", "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=0123", std::nullopt},
    {"An_empty_credential", "AWS4-HMAC-SHA256 Credential=", std::nullopt},
    {"A_part_too_few", "AWS4-HMAC-SHA256 Credential=20261123/us-east-1/bedrock/aws4_request",
     std::nullopt},
    {"Another_terminator",
     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/bedrock/aws5_request",
     std::nullopt},
    {"No_key_id", "AWS4-HMAC-SHA256 Credential=/20261123/us-east-1/bedrock/aws4_request",
     std::nullopt},
    {"No_service", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1//aws4_request",
     std::nullopt},
};

class CredentialScopeOf : public testing::TestWithParam<Vector> {};

TEST_P(CredentialScopeOf, IsWhatTheHeaderClaims) {
  EXPECT_EQ(parse_credential_scope(GetParam().header), GetParam().scope);
}

TEST_P(CredentialScopeOf, IsAViewIntoTheHeaderWhateverIsCutOff) {
  const std::string whole(GetParam().header);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    const auto scope = parse_credential_scope(cut);
    if (!scope) continue;
    EXPECT_GE(scope->access_key_id.data(), cut.data());
    EXPECT_LE(scope->service.data() + scope->service.size(), cut.data() + cut.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Header, CredentialScopeOf, testing::ValuesIn(vectors),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace craton::sigv4
