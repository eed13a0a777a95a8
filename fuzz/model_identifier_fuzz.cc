// Any text as a model's or profile's identifier: found, or refused in one of two ways that can be
// sent.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.h"
#include "catalog/catalog.h"

namespace {

template <class T>
void check(const craton::Result<T>& result) {
  if (result) return;
  const craton::ErrorCode code = result.error().code;
  if (code != craton::ErrorCode::validation && code != craton::ErrorCode::resource_not_found) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using craton::catalog::Catalog;
  using craton::catalog::View;
  static const Catalog catalogs[] = {Catalog(View::all), Catalog(View::today), Catalog(View::seed)};
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view region = input.substr(0, input.find('\n'));
  const std::string_view id = input.substr(std::min(size, region.size() + 1));
  for (const Catalog& catalog : catalogs) {
    const auto found = catalog.resolve(region, id);
    check(found);
    if (found && catalog.get_profile(region, id) && found->profile_id.empty()) std::abort();
    check(catalog.get_model(region, id));
    check(catalog.get_profile(region, id));
    check(catalog.list_profiles(region, "", 3, id));
  }
  return 0;
}
