#include "models/package.h"

#include <zip.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "base/json.h"

namespace craton::models {
namespace {

using Zip = std::unique_ptr<zip_t, decltype(&zip_discard)>;
using Member = std::unique_ptr<zip_file_t, decltype(&zip_fclose)>;
using Pipe = std::unique_ptr<std::FILE, decltype(&pclose)>;

constexpr std::size_t piece_bytes = 1 << 20;

Error failed(std::string message) { return {ErrorCode::service_unavailable, std::move(message)}; }

/// Names of packages are equal whatever their case and separators (PEP 503).
std::string normalized(std::string_view package) {
  std::string name(package);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c == '_' || c == '.' ? '-'
                                : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return name;
}

/// The names and versions come from the index, which is built in: nothing here is a caller's.
std::string pip_command(const PackageSource& source) {
  std::string command =
      "python3 -m pip install --dry-run --no-deps --ignore-installed --only-binary :all: "
      "--disable-pip-version-check --no-input --quiet --report -";
  for (const std::string& package : source.packages) {
    command += " '" + package + "==" + source.version + "'";
  }
  return command + " 2>/dev/null";
}

std::string text_at(const json::value& value, std::string_view pointer) {
  boost::json::error_code error;
  const json::value* found = value.find_pointer(pointer, error);
  return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

const Wheel* find_wheel(const std::vector<Wheel>& wheels, std::string_view package) {
  const auto found = std::ranges::find(
      wheels, normalized(package), [](const Wheel& wheel) { return normalized(wheel.package); });
  return found == wheels.end() ? nullptr : &*found;
}

Result<zip_uint64_t> find_member(zip_t* zip, const std::filesystem::path& file,
                                 std::string_view suffix) {
  std::optional<zip_uint64_t> found;
  const zip_int64_t entries = zip_get_num_entries(zip, 0);
  for (zip_int64_t i = 0; i < entries; ++i) {
    const char* name = zip_get_name(zip, static_cast<zip_uint64_t>(i), 0);
    if (!name || !std::string_view(name).ends_with(suffix)) continue;
    if (name == suffix) return static_cast<zip_uint64_t>(i);
    if (found) return failed(file.string() + ": several members end in " + std::string(suffix));
    found = static_cast<zip_uint64_t>(i);
  }
  if (!found) return failed(file.string() + ": no member ends in " + std::string(suffix));
  return *found;
}

}  // namespace

Result<std::vector<Wheel>> read_pip_report(std::string_view report,
                                           const std::vector<std::string>& packages) {
  const Result<json::value> root = json::parse(report);
  if (!root) return failed("pip's report is " + root.error().message + ".");
  boost::json::error_code error;
  const json::value* installs = root->find_pointer("/install", error);
  std::vector<Wheel> all;
  if (installs && installs->is_array()) {
    for (const json::value& install : installs->get_array()) {
      all.push_back({text_at(install, "/metadata/name"), text_at(install, "/download_info/url"),
                     text_at(install, "/download_info/archive_info/hashes/sha256")});
    }
  }
  std::vector<Wheel> wheels;
  for (const std::string& package : packages) {
    const Wheel* wheel = find_wheel(all, package);
    if (!wheel || wheel->url.empty() || wheel->sha256.empty()) {
      return failed("pip's report has no address and SHA-256 of " + package +
                    ". Update pip (22.2 or newer) and run the command again.");
    }
    wheels.push_back(*wheel);
  }
  return wheels;
}

Result<std::vector<Wheel>> resolve_wheels(const PackageSource& source) {
  std::string report;
  const std::string command = pip_command(source);
  Pipe pipe(popen(command.c_str(), "r"), pclose);
  if (!pipe)
    return failed("cannot start python3. Install it, with pip, and run the command again.");
  std::array<char, 4096> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) {
    report.append(buffer.data(), size);
  }
  if (pclose(pipe.release()) != 0) {
    return failed("python3 -m pip finds no package " + source.packages.front() + " " +
                  source.version +
                  ". Check the network and pip's settings ('python3 -m pip config list'), and run "
                  "the command again.");
  }
  return read_pip_report(report, source.packages);
}

Result<void> read_member(const std::filesystem::path& file, std::string_view suffix,
                         const std::function<Result<void>(std::string_view piece)>& take) {
  int error = 0;
  const Zip zip(zip_open(file.c_str(), ZIP_RDONLY, &error), zip_discard);
  if (!zip)
    return failed(file.string() + " is no whole zip file. Delete it and run the command again.");
  CRATON_TRY_ASSIGN(const zip_uint64_t index, find_member(zip.get(), file, suffix));
  const Member member(zip_fopen_index(zip.get(), index, 0), zip_fclose);
  std::vector<char> piece(piece_bytes);
  while (member) {
    const zip_int64_t size = zip_fread(member.get(), piece.data(), piece.size());
    if (size < 0) break;
    if (size == 0) return {};
    CRATON_TRY(take({piece.data(), static_cast<std::size_t>(size)}));
  }
  return failed(file.string() + " is damaged. Delete it and run the command again.");
}

}  // namespace craton::models
