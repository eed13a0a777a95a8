// A page of metrics, as a server that is not ours may write it: what was read, written again, reads
// as the same; and a page cut anywhere reads as its beginning, or not at all.
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "metrics/exposition.h"
#include "metrics/page.h"

using namespace craton;
using namespace craton::metrics;

namespace {

/// As writing leaves it: characters mended, empty labels dropped.
Sample as_written(const Sample& sample) {
  Sample written{sample.name, {}, sample.value};
  for (const auto& [name, value] : sample.labels) {
    if (!value.empty()) written.labels.emplace_back(name, mended_utf8(value));
  }
  return written;
}

std::string text_of(const std::vector<Sample>& samples) {
  std::string text;
  for (const Sample& sample : samples) {
    std::vector<Label> labels;
    for (const auto& [name, value] : sample.labels) labels.push_back({name, value});
    append_sample(sample.name, labels, sample.value, text);
  }
  return text;
}

bool same(const Sample& a, const Sample& b) {
  const bool same_number = a.value == b.value || (a.value != a.value && b.value != b.value);
  return a.name == b.name && a.labels == b.labels && same_number;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 8192) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto page = read_page(text);
  const auto half = read_page(text.substr(0, size / 2));
  if (page && half && half->samples.size() > page->samples.size()) std::abort();
  if (!page) return 0;
  const auto again = read_page(text_of(page->samples));
  if (!again || again->samples.size() != page->samples.size()) std::abort();
  for (std::size_t i = 0; i < page->samples.size(); ++i) {
    if (!same(as_written(page->samples[i]), again->samples[i])) std::abort();
  }
  return 0;
}
