#include "client/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cctype>

#include "api/shapes.h"

namespace craton::client {
namespace {

using testing::HasSubstr;

WireRequest written(std::string_view operation, const json::object& input) {
  auto request = write_request(*api::find_operation(operation), input);
  EXPECT_TRUE(request) << request.error().message;
  return request ? *request : WireRequest{};
}

std::string header(const WireRequest& request, std::string_view name) {
  const auto found =
      std::ranges::find(request.headers, name, &std::pair<std::string, std::string>::first);
  return found == request.headers.end() ? "" : found->second;
}

TEST(WriteRequest, PutsMembersWhereTheShapesSay) {
  const WireRequest request = written("InvokeModel", {{"modelId", "arn:aws:bedrock:us-east-1::x/y"},
                                                      {"body", R"({"prompt":"hi"})"},
                                                      {"contentType", "application/json"},
                                                      {"accept", "image/png"},
                                                      {"trace", "ENABLED"}});
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Ax%2Fy/invoke");
  EXPECT_EQ(request.body, R"({"prompt":"hi"})");
  EXPECT_EQ(header(request, "Accept"), "image/png");
  EXPECT_EQ(header(request, "X-Amzn-Bedrock-Trace"), "ENABLED");

  const WireRequest listing = written(
      "ListFoundationModels", {{"byProvider", "Stability AI"}, {"byOutputModality", "IMAGE"}});
  EXPECT_EQ(listing.query, "byProvider=Stability%20AI&byOutputModality=IMAGE");
  EXPECT_EQ(listing.body, "");
  EXPECT_EQ(header(listing, "Content-Type"), "");

  const WireRequest converse =
      written("Converse", {{"modelId", "m"}, {"messages", json::array{}}, {"system", nullptr}});
  EXPECT_EQ(converse.body, R"({"messages":[]})");
  EXPECT_EQ(header(converse, "Content-Type"), "application/json");
}

TEST(WriteRequest, ABodyMayBeJson) {
  const WireRequest request =
      written("InvokeModel", {{"modelId", "m"}, {"body", json::object{{"a", 1}}}});
  EXPECT_EQ(request.body, R"({"a":1})");
}

TEST(WriteRequest, MakesUpTheTokenOfWhatMustHappenOnce) {
  const json::object input{{"modelId", "m"}, {"modelInput", json::object{}}};
  const WireRequest first = written("StartAsyncInvoke", input);
  const WireRequest second = written("StartAsyncInvoke", input);
  EXPECT_THAT(first.body, HasSubstr("clientRequestToken"));
  EXPECT_NE(first.body, second.body);
}

TEST(WriteRequest, RefusesWhatTheOperationHasNot) {
  const auto unknown =
      write_request(*api::find_operation("Converse"), {{"modelId", "m"}, {"mesages", nullptr}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "Converse has no member 'mesages'; did you mean 'messages'?");
  const auto missing = write_request(*api::find_operation("Converse"), {{"modelId", ""}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "Converse needs 'modelId'");
}

// Every operation of both APIs, its path and query filled with what must be encoded: the server's
// own router and reader find the same operation and the same values in it.
TEST(WriteRequest, IsReadAsItWasMeant) {
  const std::string odd = "a/b:c d+e%2F?&=#é한";
  ASSERT_GT(api::operations().size(), 100U);
  for (const api::Operation& operation : api::operations()) {
    json::object input;
    for (const api::Member& member : operation.input->members) {
      const bool text = member.shape->kind == api::Kind::string;
      if (member.location == api::Location::uri) input[member.name] = odd;
      if (member.location == api::Location::query && text) input[member.name] = odd;
    }
    const WireRequest request = written(operation.name, input);
    const std::string target =
        request.query.empty() ? request.path : request.path + "?" + request.query;
    const Result<api::Match> match = api::route(request.method, target);
    ASSERT_TRUE(match) << operation.name << ' ' << target;
    EXPECT_EQ(match->operation->name, operation.name);
    for (const auto& [label, value] : match->labels) EXPECT_EQ(value, odd) << operation.name;
  }
}

}  // namespace
}  // namespace craton::client
