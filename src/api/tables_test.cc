// The tables against the service models themselves, read another way.
#include "api/tables.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "base/error.h"

namespace craton::api {
namespace {

namespace bj = boost::json;

bj::object read_model(const std::string& service) {
  std::ifstream file(CRATON_SERVICE_MODELS "/" + service + ".json");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return bj::parse(text).as_object();
}

const bj::object& model_of(Service service) {
  static const bj::object control = read_model("bedrock");
  static const bj::object runtime = read_model("bedrock-runtime");
  return service == Service::bedrock ? control : runtime;
}

const bj::object& entry_of(const Operation& operation) {
  return model_of(operation.service).at("operations").at(operation.name).as_object();
}

TEST(ApiTables, HaveEveryOperationAsTheModelsSay) {
  std::size_t modelled = 0;
  for (const Service service : {Service::bedrock, Service::bedrock_runtime}) {
    modelled += model_of(service).at("operations").as_object().size();
  }
  EXPECT_EQ(operations().size(), modelled);
  for (const Operation& operation : operations()) {
    const bj::object& http = entry_of(operation).at("http").as_object();
    EXPECT_EQ(operation.method, http.at("method").as_string()) << operation.name;
    EXPECT_EQ(operation.uri, http.at("requestUri").as_string()) << operation.name;
    EXPECT_EQ(operation.status, http.at("responseCode").as_int64()) << operation.name;
    EXPECT_EQ(operation.input->name, entry_of(operation).at("input").at("shape").as_string());
  }
}

TEST(ApiTables, KeepOperationsSortedByName) {
  EXPECT_TRUE(std::ranges::is_sorted(operations(), {}, &Operation::name));
}

const std::map<std::string, Kind, std::less<>> kinds{
    {"string", Kind::string}, {"boolean", Kind::boolean},     {"integer", Kind::integer},
    {"long", Kind::long_},    {"float", Kind::float_},        {"double", Kind::double_},
    {"blob", Kind::blob},     {"timestamp", Kind::timestamp}, {"list", Kind::list},
    {"map", Kind::map},       {"structure", Kind::structure}};

std::optional<double> bound(const bj::object& shape, std::string_view name) {
  const auto* value = shape.if_contains(name);
  return value ? std::optional(value->to_number<double>()) : std::nullopt;
}

/// Walks a modelled shape and its table row side by side.
class Comparison {
 public:
  explicit Comparison(Service service) : shapes_(model_of(service).at("shapes").as_object()) {}

  void compare(std::string_view name, const Shape& row) {
    if (!seen_.emplace(std::string(name), &row).second) return;
    const bj::object& shape = shapes_.at(name).as_object();
    SCOPED_TRACE(std::string(name));
    EXPECT_EQ(row.name, name);
    const bool is_document = shape.contains("document");
    EXPECT_EQ(row.kind,
              is_document ? Kind::document : kinds.at(std::string(shape.at("type").as_string())));
    EXPECT_EQ(row.min, bound(shape, "min"));
    EXPECT_EQ(row.max, bound(shape, "max"));
    EXPECT_EQ(row.is_union, shape.contains("union"));
    EXPECT_EQ(row.is_sensitive, shape.contains("sensitive"));
    EXPECT_EQ(row.is_event_stream, shape.contains("eventstream"));
    compare_pattern(shape, row);
    compare_values(shape, row);
    compare_members(shape, row);
    if (row.kind == Kind::list) compare(shape.at("member").at("shape").as_string(), *row.item);
    if (row.kind == Kind::map) {
      compare(shape.at("key").at("shape").as_string(), *row.key);
      compare(shape.at("value").at("shape").as_string(), *row.item);
    }
  }

  std::size_t compared() const { return seen_.size(); }

 private:
  void compare_pattern(const bj::object& shape, const Shape& row) {
    const auto* pattern = shape.if_contains("pattern");
    ASSERT_EQ(row.pattern >= 0, pattern != nullptr);
    if (pattern) {
      EXPECT_EQ(patterns()[static_cast<std::size_t>(row.pattern)].text, pattern->as_string());
    }
  }

  void compare_values(const bj::object& shape, const Shape& row) {
    const auto* values = shape.if_contains("enum");
    ASSERT_EQ(row.values.size(), values ? values->as_array().size() : 0);
    EXPECT_TRUE(std::ranges::is_sorted(row.values));
    for (const std::string_view value : row.values) {
      EXPECT_TRUE(std::ranges::any_of(values->as_array(),
                                      [&](const auto& each) { return each.as_string() == value; }));
    }
  }

  void compare_members(const bj::object& shape, const Shape& row) {
    if (row.kind != Kind::structure) return;
    const bj::object& members = shape.at("members").as_object();
    ASSERT_EQ(row.members.size(), members.size());
    for (const Member& member : row.members) {
      const bj::object& modelled = members.at(member.name).as_object();
      const auto* wire = modelled.if_contains("locationName");
      EXPECT_EQ(member.wire_name, wire ? std::string_view(wire->as_string()) : member.name);
      EXPECT_EQ(member.required, is_required(shape, member.name));
      EXPECT_EQ(member.location, location_of(shape, member.name, modelled));
      compare(modelled.at("shape").as_string(), *member.shape);
    }
  }

  static bool is_required(const bj::object& shape, std::string_view name) {
    const auto* required = shape.if_contains("required");
    return required && std::ranges::any_of(required->as_array(), [&](const auto& each) {
             return each.as_string() == name;
           });
  }

  static Location location_of(const bj::object& shape, std::string_view name,
                              const bj::object& member) {
    const auto* payload = shape.if_contains("payload");
    if (payload && payload->as_string() == name) return Location::payload;
    const auto* location = member.if_contains("location");
    if (!location) return Location::body;
    const std::map<std::string, Location> locations{
        {"uri", Location::uri}, {"querystring", Location::query}, {"header", Location::header}};
    return locations.at(std::string(location->as_string()));
  }

  const bj::object& shapes_;
  std::map<std::string, const Shape*> seen_;
};

TEST(ApiTables, HaveEveryInputShapeAsTheModelsSay) {
  Comparison control(Service::bedrock);
  Comparison runtime(Service::bedrock_runtime);
  for (const Operation& operation : operations()) {
    Comparison& comparison = operation.service == Service::bedrock ? control : runtime;
    comparison.compare(entry_of(operation).at("input").at("shape").as_string(), *operation.input);
  }
  EXPECT_EQ(control.compared() + runtime.compared(), all_shapes().size());
}

TEST(ApiTables, HaveThePatternsInTheSyntaxOfTheirMatcher) {
  for (const Pattern& pattern : patterns()) {
    RE2::Options quiet;
    quiet.set_log_errors(false);
    EXPECT_TRUE(RE2(std::string(pattern.expression), quiet).ok()) << pattern.text;
  }
}

TEST(ApiTables, CarryNoProse) {
  std::ifstream file(CRATON_API_TABLES);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_GT(text.size(), 100'000u);
  EXPECT_EQ(text.find("<p>"), std::string::npos);
}

/// The model's name of an error, with its status.
TEST(ApiTables, ErrorsHaveTheStatusThatTheModelsSay) {
  std::map<std::string, std::int64_t, std::less<>> modelled;
  for (const Service service : {Service::bedrock, Service::bedrock_runtime}) {
    for (const auto& [name, shape] : model_of(service).at("shapes").as_object()) {
      if (!shape.as_object().contains("exception")) continue;
      const auto* error = shape.as_object().if_contains("error");
      if (error)
        modelled[std::string(name)] = error->at("httpStatusCode").to_number<std::int64_t>();
    }
  }
  for (const ErrorShape& row : error_shapes) {
    if (row.code >= ErrorCode::not_implemented) continue;  // the front ends' own
    ASSERT_TRUE(modelled.contains(row.name)) << row.name;
    EXPECT_EQ(row.status, modelled.find(row.name)->second) << row.name;
  }
}

}  // namespace
}  // namespace craton::api
