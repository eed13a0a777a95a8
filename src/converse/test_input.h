// For tests: a Converse body as the API layer hands it on, and the models that it is sent to.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "api/operation.h"
#include "base/json.h"
#include "catalog/catalog.h"

namespace craton::converse {

/// The members of Converse's input for that body; the API's own refusal when it breaks a
/// constraint.
inline Result<json::object> input_of(std::string_view body) {
  const api::Match match{api::find_operation("Converse"), {{"modelId", "any"}}};
  const auto no_header = [](const void*, std::string_view) { return std::string_view(); };
  Result<api::Input> input = api::parse_input(match, {"/", no_header, nullptr, body});
  if (!input) return Error(std::move(input.error()));
  return std::move(input->members);
}

/// A model of the default catalogue. The test fails when there is none.
inline const catalog::Model& model_named(std::string_view id) {
  static const catalog::Catalog catalogue(catalog::View::all);
  const Result<catalog::Invocable> found = catalogue.resolve("us-east-1", id);
  if (!found) throw std::runtime_error(std::string(id) + ": " + found.error().message);
  return *found->model;
}

}  // namespace craton::converse
