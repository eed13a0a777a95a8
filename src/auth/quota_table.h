// QuotaTable: quotas of models, for all callers together, as Bedrock gives them to an account.
//
// The first rule whose pattern fits the model's id, or the inference profile's by which it was
// named, gives the model's quota. Every model counts by itself, whatever else the rule fits; in
// every Region; and by itself again by its own id, through profiles of a geography, and through
// global ones. Tokens a day are counted over all three.
// Source: the Bedrock User Guide, "Quotas for the bedrock-runtime endpoint".
//
// Threads: any function may be called from any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/meter.h"
#include "auth/quota.h"

namespace craton::auth {

class QuotaTable {
 public:
  /// What is asked for.
  struct Model {
    std::string_view region;
    std::string_view id;
    std::string_view profile_id = {};  ///< Empty: by its own id.
  };
  using Leases = std::vector<std::unique_ptr<Meter::Lease>>;

  /// Why not, and by which rule.
  struct Refusal {
    Throttled throttled;
    std::string models;  ///< The rule's pattern.
  };

  /// One that is counted.
  struct Use {
    std::string region;
    std::string model;
    std::string_view scope;  ///< "on-demand", "cross-region", "global"; "" for all three.
    Quota left;              ///< Of the limits that are counted there; below 0: in debt.
  };
  struct Row {
    QuotaRule rule;
    std::uint64_t throttled = 0;  ///< Requests.
    std::vector<Use> uses;
  };

  explicit QuotaTable(std::vector<QuotaRule> rules = {});

  /// Whether there is a quota of it.
  bool covers(const Model& model) const;

  /// Takes what `request` needs, or nothing. No leases where no rule fits.
  tl::expected<Leases, Refusal> admit(const Model& model, const Meter::Request& request);

  /// The rules in their order, with what is left of each. `now` and `date` are one moment.
  std::vector<Row> rows(SteadyTime now, WallTime date) const;

  /// Other rules, all full. What runs already is not counted in them.
  void replace(std::vector<QuotaRule> rules);

  /// As at the start: its rules, all full.
  void reset() { replace(at_start_); }

 private:
  /// Models and Regions that are counted by one rule, at most: the rest share one meter, so that
  /// callers who make up Regions cannot fill the memory.
  static constexpr std::size_t meters_max = 4096;

  struct Counted {
    QuotaRule rule;
    std::uint64_t throttled = 0;
    struct Place {
      std::string region, model;
      std::string_view scope;
      auto operator<=>(const Place&) const = default;
    };
    std::map<Place, std::shared_ptr<Meter>> meters;

    bool fits(const Model& model) const;
    std::shared_ptr<Meter> meter(const Model& model, std::string_view scope);
  };

  const std::vector<QuotaRule> at_start_;
  std::atomic<bool> any_ = false;
  mutable std::mutex mutex_;  // guards what follows; a meter guards itself
  std::vector<Counted> rules_;
};

}  // namespace craton::auth
