// The latest answers of ListFoundationModels, ready to send.
//
// Bounded, because callers choose the key: when full it starts anew. A list is some 80 KB, made in
// some ten microseconds, so what is lost is soon made again. Any function may be called from any
// thread; readers do not wait for each other.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/catalog.h"

namespace craton::catalog {

class ListCache {
 public:
  using Text = std::shared_ptr<const std::string>;

  static constexpr std::size_t lists_max = 32;       ///< 2.5 MB
  static constexpr std::size_t key_bytes_max = 256;  ///< A longer key is not kept.

  /// nullptr when it is not kept. `epoch`: how many models have ended.
  Text find(std::size_t epoch, std::string_view region, const ModelFilter& filter) const {
    const std::shared_lock lock(mutex_);
    const auto found = std::find_if(lists_.begin(), lists_.end(), [&](const List& list) {
      return list.epoch == epoch && list.region == region && list.filter == filter;
    });
    return found == lists_.end() ? nullptr : found->text;
  }

  void keep(std::size_t epoch, std::string_view region, const ModelFilter& filter, Text text) {
    const std::size_t key_bytes = region.size() + filter.provider.size() +
                                  filter.output_modality.size() + filter.inference_type.size() +
                                  filter.customization_type.size();
    if (key_bytes > key_bytes_max) return;
    List list{epoch, std::string(region), filter, std::move(text)};
    const std::unique_lock lock(mutex_);
    if (lists_.size() >= lists_max) lists_.clear();
    lists_.push_back(std::move(list));
  }

  std::size_t size() const {
    const std::shared_lock lock(mutex_);
    return lists_.size();
  }

 private:
  struct List {
    std::size_t epoch;
    std::string region;
    ModelFilter filter;
    Text text;
  };

  mutable std::shared_mutex mutex_;
  std::vector<List> lists_;
};

}  // namespace craton::catalog
