// craton operations: Bedrock's operations and which of them this server answers, from its tables.
#include "service/operations.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "api/operation.h"
#include "base/json.h"
#include "cli/commands.h"

namespace craton::cli {
namespace {

struct Row {
  std::string_view service;
  std::string_view name;
  std::string_view method;
  std::string_view uri;
  bool implemented;
};

std::vector<Row> rows() {
  std::vector<Row> all;
  for (const api::Operation& operation : api::operations()) {
    const bool runtime = operation.service == api::Service::bedrock_runtime;
    all.push_back({runtime ? "bedrock-runtime" : "bedrock", operation.name, operation.method,
                   operation.uri, service::find_implementation(operation.name) != nullptr});
  }
  std::sort(all.begin(), all.end(), [](const Row& a, const Row& b) {
    return std::tie(b.service, a.name) < std::tie(a.service, b.name);  // the runtime first
  });
  return all;
}

void print_json(const std::vector<Row>& all) {
  std::string text = "[";
  for (const Row& row : all) {
    if (text.size() > 1) text += ",";
    text += "\n  {\"service\":" + json::quote(row.service) +
            ",\"operation\":" + json::quote(row.name) + ",\"method\":" + json::quote(row.method) +
            ",\"uri\":" + json::quote(row.uri) +
            ",\"implemented\":" + (row.implemented ? "true" : "false") + "}";
  }
  std::puts((text + "\n]").c_str());
}

void print_markdown(const std::vector<Row>& all) {
  std::puts("| Service | Operation | Request | Answered |\n| --- | --- | --- | --- |");
  for (const Row& row : all) {
    std::printf("| %s | %s | `%s %s` | %s |\n", std::string(row.service).c_str(),
                std::string(row.name).c_str(), std::string(row.method).c_str(),
                std::string(row.uri).c_str(), row.implemented ? "yes" : "not yet (501)");
  }
}

void print_table(const std::vector<Row>& all) {
  std::size_t width = 0;
  for (const Row& row : all) width = std::max(width, row.name.size());
  for (const Row& row : all) {
    std::printf("%-16s %-*s %-8s %-6s %s\n", std::string(row.service).c_str(),
                static_cast<int>(width), std::string(row.name).c_str(),
                row.implemented ? "yes" : "not yet", std::string(row.method).c_str(),
                std::string(row.uri).c_str());
  }
  const auto done =
      std::count_if(all.begin(), all.end(), [](const Row& row) { return row.implemented; });
  std::printf("%td of %zu operations are answered.\n", done, all.size());
}

struct Form {
  std::string_view name;
  void (*print)(const std::vector<Row>&);
};
constexpr Form forms[] = {
    {"table", print_table}, {"json", print_json}, {"markdown", print_markdown}};

}  // namespace

void add_operations(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("operations", "List Bedrock's operations and which are answered");
  auto form = std::make_shared<std::string>("table");
  command->add_option("--output", *form, "table, json or markdown (default table)")
      ->check(CLI::IsMember({"table", "json", "markdown"}));
  command->callback([form, &exit_code] {
    for (const Form& candidate : forms) {
      if (candidate.name == *form) candidate.print(rows());
    }
    exit_code = exit_ok;
  });
}

}  // namespace craton::cli
