#include "server/pooled_models.h"

#include <fmt/format.h>

#include <utility>

namespace craton::server {
namespace {

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + "M"; }

}  // namespace

/// One of them, as ids are bound to it.
class PooledModels::Place final : public Answerer {
 public:
  Place(std::shared_ptr<PooledModels> models, std::size_t model, Does does, std::string kind)
      : models_(std::move(models)), model_(model), does_(does), kind_(std::move(kind)) {}
  ~Place() override { models_->retire(model_); }

  std::string_view kind() const override { return kind_; }
  bool can(Does wanted) const override { return wanted == does_; }
  Does does() const override { return does_; }

  std::shared_ptr<engines::Engine> claim(engines::rules::RequestView&, const engines::Request&,
                                         engines::faults::Struck&) const override {
    return models_->take(model_);
  }

 private:
  const std::shared_ptr<PooledModels> models_;
  const std::size_t model_;
  const Does does_;
  const std::string kind_;
};

PooledModels::PooledModels(models::Store store, std::optional<std::uint64_t> bytes_max)
    : store_(std::move(store)), bytes_max_(bytes_max) {}

Result<std::shared_ptr<Answerer>> PooledModels::add(const NamedModel& named) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const Told& told : told_) {
    if (told.there) names.push_back(told.name);
  }
  CRATON_TRY_ASSIGN(PooledModel made, pooled_model(store_, named, bytes_max_.has_value(), names));
  const Told told{named.name, made.model.name, made.model.bytes, made.model.kept, true};
  std::string kind = made.model.kind;
  if (begun_) {
    CRATON_TRY(check_memory(told));
    if (!pool_) pool_ = engines::Pool::make({}, bytes_max_);
    pool_->add(std::move(made.model));
  } else {
    planned_.push_back(std::move(made.model));
  }
  told_.push_back(told);
  return std::make_shared<Place>(shared_from_this(), told_.size() - 1, made.does, std::move(kind));
}

Result<void> PooledModels::begin() {
  const std::lock_guard lock(mutex_);
  for (const Told& told : told_) CRATON_TRY(check_memory(told));
  if (!planned_.empty()) pool_ = engines::Pool::make(std::move(planned_), bytes_max_);
  begun_ = true;
  return {};
}

/// Each model must be able to be loaded beside those that stay. With the mutex held.
Result<void> PooledModels::check_memory(const Told& told) const {
  if (!bytes_max_) return {};
  std::uint64_t needed = told.bytes;
  for (const Told& other : told_) {
    if (&other != &told && other.there && other.kept) needed += other.bytes;
  }
  if (needed <= *bytes_max_) return {};
  const std::string what = told.kept
                               ? "The models that are kept need"
                               : "The model " + told.config_name + " and those that are kept need";
  return Error{ErrorCode::validation,
               fmt::format("{} {}, and --memory gives {}. Give more, keep fewer, or take a smaller "
                           "--context.",
                           what, mebibytes(needed), mebibytes(*bytes_max_))};
}

bool PooledModels::fits(const NamedModel& named) const {
  if (!bytes_max_) return true;
  const Result<std::uint64_t> bytes = model_bytes(store_, named);
  const std::lock_guard lock(mutex_);
  return bytes && check_memory({named.name, {}, *bytes, named.config.keep, true});
}

std::shared_ptr<engines::Engine> PooledModels::take(std::size_t model) {
  return pool_->take(model);  // set before anybody asks
}

void PooledModels::retire(std::size_t model) {
  const std::lock_guard lock(mutex_);
  told_[model].there = false;
  if (pool_) pool_->retire(model);
}

std::vector<PooledModels::Row> PooledModels::rows() const {
  const std::lock_guard lock(mutex_);
  std::vector<Row> rows;
  for (std::size_t model = 0; model < told_.size(); ++model) {
    if (!told_[model].there || !pool_) continue;
    rows.push_back({{pool_, &pool_->peek(model)}, told_[model].kept});
  }
  return rows;
}

}  // namespace craton::server
