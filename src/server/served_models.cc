#include "server/served_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <utility>

#include "base/glob.h"
#include "base/log.h"
#include "engines/aws/aws_engine.h"
#include "engines/canvas/canvas_engine.h"
#include "engines/rules/request_view.h"
#include "engines/script/rule_set.h"
#include "families/embedding_family.h"
#include "families/image_family.h"
#include "models/index.h"
#include "models/store.h"
#include "server/environment.h"
#include "server/upstream_model.h"

namespace craton::server {
namespace {

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

/// The encoder that `craton pull` fetched, where it is there and nobody named another.
std::optional<NamedModel> pulled_encoder(const Config& config, const models::Store& store) {
  const models::Model& encoder = models::default_encoder();
  if (config.model.file.empty() || !store.has(encoder)) return std::nullopt;
  NamedModel named{encoder.name, config.model};
  named.config.file = encoder.name;
  named.config.projector.clear();
  named.config.draft.clear();
  named.config.script.clear();
  named.config.upstream.clear();
  named.config.keep = false;
  return named;
}

/// Each model once, the default one first; it is kept.
std::vector<NamedModel> all_models(const Config& config) {
  std::vector<NamedModel> all = config.models;
  if (config.model.file.empty()) return all;
  const auto found = std::ranges::find(all, config.model.file, &NamedModel::name);
  if (found == all.end()) {
    all.insert(all.begin(), {config.model.file, config.model});
  } else {
    std::rotate(all.begin(), found, found + 1);
  }
  all.front().config.keep = true;
  return all;
}

/// What names the engine that draws without a model, where a model could stand.
constexpr std::string_view canvas_name = "canvas";

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + "M"; }

std::uint64_t kept_bytes(const std::vector<engines::PoolModel>& models) {
  std::uint64_t kept = 0;
  for (const engines::PoolModel& model : models) kept += model.kept ? model.bytes : 0;
  return kept;
}

/// Each model must be able to be loaded beside those that stay.
Result<void> check_memory(const std::vector<NamedModel>& named,
                          const std::vector<engines::PoolModel>& models, std::uint64_t most) {
  const std::uint64_t kept = kept_bytes(models);
  for (std::size_t i = 0; i < models.size(); ++i) {
    const std::uint64_t needed = kept + (models[i].kept ? 0 : models[i].bytes);
    if (needed <= most) continue;
    const std::string what = models[i].kept
                                 ? "The models that are kept need"
                                 : "The model " + named[i].name + " and those that are kept need";
    return refused(fmt::format(
        "{} {}, and --memory gives {}. Give more, keep fewer, or take a smaller --context.", what,
        mebibytes(needed), mebibytes(most)));
  }
  return {};
}

std::string counted(std::size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

/// The model that embeds where neither a binding nor the default model does: the one that was
/// pulled, which is added to `models`. Memory that does not suffice for it beside the kept ones is
/// no reason not to start.
Result<std::optional<std::size_t>> add_encoder(const Config& config, const models::Store& store,
                                               std::vector<engines::PoolModel>& models) {
  const std::optional<NamedModel> encoder = pulled_encoder(config, store);
  if (!encoder) return std::optional<std::size_t>();
  const auto there = std::ranges::find(models, encoder->name, &engines::PoolModel::name);
  if (there != models.end()) {
    return std::optional(static_cast<std::size_t>(there - models.begin()));
  }
  CRATON_TRY_ASSIGN(PooledModel made,
                    pooled_model(store, *encoder, config.memory.has_value(), models));
  if (config.memory &&
      !check_memory({*encoder}, {made.model}, *config.memory - kept_bytes(models))) {
    log::warning("encoder_left_out", {{"model", made.model.name}, {"reason", "memory"}});
    return std::optional<std::size_t>();
  }
  models.push_back(std::move(made.model));
  return std::optional(models.size() - 1);
}

/// A folder that is to be recorded to as well may be new.
Result<std::shared_ptr<engines::replay::Library>> open_library(const Config& config) {
  if (config.replay_or_ask) {
    std::error_code error;
    std::filesystem::create_directories(config.replay, error);
  }
  return engines::replay::Library::open(
      {.folder = config.replay, .pace = config.replay_pace, .ignored = config.replay_ignore});
}

}  // namespace

/// A file of rules, which may be read again.
class ServedModels::Rules {
 public:
  explicit Rules(std::string path) : path_(std::move(path)) {}

  Result<void> read() {
    CRATON_TRY_ASSIGN(engines::script::RulesFile file, engines::script::read_rules_file(path_));
    auto set = std::make_shared<engines::script::RuleSet>(std::move(file));
    const std::lock_guard lock(mutex_);
    set_ = std::move(set);
    return {};
  }

  std::shared_ptr<engines::script::RuleSet> set() const {
    const std::lock_guard lock(mutex_);
    return set_;
  }

 private:
  const std::string path_;
  mutable std::mutex mutex_;
  std::shared_ptr<engines::script::RuleSet> set_;
};

/// One for each server.
void check_upstream(const NamedModel& named, std::vector<ModelCheck>& checks) {
  const auto options = upstream_options(named);
  if (!options) {
    checks.push_back({.name = named.name, .where = {}, .problem = options.error().message});
    return;
  }
  for (engines::upstream::ReplicaCheck& replica : engines::upstream::check_replicas(*options)) {
    ModelCheck check{.name = replica.model.empty() ? named.name : replica.model,
                     .where = replica.server + " at " + replica.url};
    if (!replica.problem.empty()) check.problem = replica.url + ": " + replica.problem;
    checks.push_back(std::move(check));
  }
}

std::vector<ModelCheck> check_models(const Config& config) {
  const models::Store store = store_of(config.data);
  std::vector<ModelCheck> checks;
  for (const NamedModel& model : all_models(config)) {
    if (!model.config.upstream.empty()) {
      check_upstream(model, checks);
      continue;
    }
    ModelCheck check{.name = model.name, .where = {}};
    if (model.config.aws) {
      const auto account = open_aws_account(model);
      if (account) check.where = "Amazon Bedrock in " + account->client->region();
      if (!account) check.problem = account.error().message;
      checks.push_back(std::move(check));
      continue;
    }
    if (model.config.file == canvas_name) {
      checks.push_back(std::move(check));
      continue;
    }
    if (!model.config.script.empty()) {
      const auto file = engines::script::read_rules_file(model.config.script);
      if (!file) check.problem = file.error().message;
      checks.push_back(std::move(check));
      continue;
    }
    const Result<std::uint64_t> bytes = model_bytes(store, model);
    bytes ? (void)(check.bytes = *bytes) : (void)(check.problem = bytes.error().message);
    checks.push_back(std::move(check));
  }
  return checks;
}

Result<std::shared_ptr<const ServedModels>> ServedModels::make(const Config& config) {
  const auto made = std::shared_ptr<ServedModels>(new ServedModels);
  const std::vector<NamedModel> named = all_models(config);
  const models::Store store = store_of(config.data);
  std::vector<engines::PoolModel> models;
  std::vector<NamedModel> pooled;
  std::vector<Answerer> answerers;  // of each of `named`
  made->canvas_ = std::shared_ptr<engines::Engine>(engines::canvas::make_canvas_engine());
  for (const NamedModel& model : named) {
    if (!model.config.upstream.empty()) {
      CRATON_TRY_ASSIGN(auto options, upstream_options(model));
      made->upstreams_.push_back({engines::upstream::make_upstream_engine(std::move(options))});
      answerers.emplace_back(made->upstreams_.back());
      continue;
    }
    if (model.config.aws) {
      CRATON_TRY_ASSIGN(AwsAccount account, open_aws_account(model));
      answerers.emplace_back(std::move(account));
      continue;
    }
    if (model.config.script.empty() && model.config.file == canvas_name) {
      answerers.push_back(made->canvas_);
      continue;
    }
    if (!model.config.script.empty()) {
      auto rules = std::make_shared<Rules>(model.config.script);
      CRATON_TRY(rules->read());
      made->rules_.push_back(rules);
      answerers.emplace_back(std::move(rules));
      continue;
    }
    CRATON_TRY_ASSIGN(PooledModel told,
                      pooled_model(store, model, config.memory.has_value(), models));
    answerers.emplace_back(models.size());
    models.push_back(std::move(told.model));
    made->does_.push_back(told.does);
    pooled.push_back(model);
  }
  if (!config.model.file.empty()) made->default_ = answerers.front();
  for (const Binding& binding : config.bindings) {
    const auto model = std::ranges::find(named, binding.model, &NamedModel::name);
    made->bound_.push_back(
        {binding.pattern, answerers[static_cast<std::size_t>(model - named.begin())]});
  }
  if (!config.replay.empty()) {
    CRATON_TRY_ASSIGN(made->library_, open_library(config));
    made->library_alone_ = !config.replay_or_ask;
  }
  made->told_faults_ = config.faults;
  made->faults_ = std::make_unique<engines::faults::FaultSet>(config.faults);
  if (config.memory) CRATON_TRY(check_memory(pooled, models, *config.memory));
  if (made->default_ && made->does(*made->default_) == Does::embeds) {
    made->encoder_ = made->default_;
  } else {
    CRATON_TRY_ASSIGN(const std::optional<std::size_t> encoder, add_encoder(config, store, models));
    if (encoder) made->encoder_ = *encoder;
    made->does_.resize(models.size(), Does::embeds);
  }
  if (!models.empty()) made->pool_ = engines::Pool::make(std::move(models), config.memory);
  return std::shared_ptr<const ServedModels>(made);
}

Does ServedModels::does_of(std::string_view model_id) {
  if (families::embedding_family_of(model_id)) return Does::embeds;
  return families::image_family_of(model_id) ? Does::draws : Does::writes;
}

/// Rules answer in words.
Does ServedModels::does(const Answerer& answerer) const {
  if (const auto* model = std::get_if<std::size_t>(&answerer)) return does_[*model];
  const bool draws = std::holds_alternative<std::shared_ptr<engines::Engine>>(answerer);
  return draws ? Does::draws : Does::writes;
}

/// Other servers embed too, if they are bound to ids that do.
bool ServedModels::can(const Answerer& answerer, Does wanted) const {
  if (std::holds_alternative<Upstream>(answerer)) return wanted != Does::draws;
  return does(answerer) == wanted;
}

const ServedModels::Answerer* ServedModels::default_for(Does wanted) const {
  const bool told_draws = default_ && does(*default_) == Does::draws;
  switch (wanted) {
    case Does::embeds: return encoder_ ? &*encoder_ : nullptr;
    case Does::draws: return told_draws ? &*default_ : &canvas_;
    case Does::writes: break;
  }
  return default_ && !told_draws ? &*default_ : nullptr;
}

service::FoundEngine ServedModels::engine_for(const engines::Request& request) const {
  service::FoundEngine found;
  engines::rules::RequestView view(request);
  faults_->draw(view, found.faults);
  std::shared_ptr<engines::script::RuleSet> passed;  // the first rules none of which fit
  const auto answers = [&](const Answerer& answerer) {
    if (const auto* model = std::get_if<std::size_t>(&answerer)) {
      found.engine = pool_->take(*model);
    } else if (const auto* engine = std::get_if<std::shared_ptr<engines::Engine>>(&answerer)) {
      found.engine = *engine;
    } else if (const auto* upstream = std::get_if<Upstream>(&answerer)) {
      found.engine = upstream->engine;
    } else if (const auto* account = std::get_if<AwsAccount>(&answerer)) {
      const std::string_view asked = request.asked_id.empty() ? request.model_id : request.asked_id;
      found.engine = engines::aws::make_aws_engine(account->client, std::string(asked));
    } else {
      auto set = std::get<std::shared_ptr<Rules>>(answerer)->set();
      found.engine = set->claim(view, found.faults);
      if (!found.engine && !passed && !set->file().rules.empty()) passed = std::move(set);
    }
    return found.engine != nullptr;
  };
  const Does wanted = does_of(request.model_id);
  if (library_ && wanted == Does::writes) {
    found.engine = library_->claim(request);
    if (!found.engine && library_alone_) {
      found.why_none = Error{ErrorCode::resource_not_found, library_->why_none(request)};
    }
    if (found.engine || found.why_none) return found;
  }
  for (const Bound& row : bound_) {
    if (!can(row.answerer, wanted)) continue;
    if (glob_matches(row.pattern, request.model_id) && answers(row.answerer)) return found;
  }
  const Answerer* otherwise = default_for(wanted);
  if (otherwise && answers(*otherwise)) return found;
  if (!passed) return found;
  if (request.operation == "CountTokens" || request.operation == "anthropic.count_tokens") {
    found.engine = passed->counter();
  } else {
    found.why_none = Error{ErrorCode::resource_not_found, passed->why_none(view)};
  }
  return found;
}

bool ServedModels::forwards() const {
  const auto leads_there = [](const Answerer& answerer) {
    return std::holds_alternative<AwsAccount>(answerer);
  };
  return (default_ && leads_there(*default_)) ||
         std::ranges::any_of(bound_, leads_there, &Bound::answerer);
}

std::shared_ptr<client::Forwarder> ServedModels::forwarder_for(std::string_view model_id) const {
  if (library_ || !faults_->empty()) return nullptr;
  const auto of = [](const Answerer& answerer) -> std::shared_ptr<client::Forwarder> {
    const auto* account = std::get_if<AwsAccount>(&answerer);
    return account ? account->forwarder : nullptr;
  };
  for (const Bound& row : bound_) {
    const bool fits = model_id.empty() ? row.pattern == "*" : glob_matches(row.pattern, model_id);
    if (fits) return of(row.answerer);
  }
  return default_ ? of(*default_) : nullptr;
}

Result<void> ServedModels::reload_rules() const {
  Result<void> outcome;
  for (const auto& rules : rules_) {
    const Result<void> read = rules->read();
    if (!read && outcome) outcome = read.error();
  }
  return outcome;
}

void ServedModels::reset() const {
  for (const auto& rules : rules_) rules->set()->reset();
  if (library_) library_->reset();
  faults_->clear();
  for (const engines::faults::Fault& fault : told_faults_) (void)faults_->add(fault);
}

std::vector<std::string> ServedModels::rules_told() const {
  std::vector<std::string> told;
  for (const auto& rules : rules_) {
    const engines::script::RulesFile& file = rules->set()->file();
    told.push_back(file.name + ": " + counted(file.rules.size(), "rule") +
                   (file.faults.empty() ? "" : ", " + counted(file.faults.size(), "fault")));
  }
  return told;
}

std::string ServedModels::recordings_told() const {
  if (!library_) return {};
  return library_->folder().string() + ": " + counted(library_->size(), "recorded answer");
}

std::vector<ServedModels::Row> ServedModels::rows() const {
  std::vector<Row> rows;
  for (const Upstream& upstream : upstreams_) rows.push_back({*upstream.engine, true});
  for (std::size_t model = 0; pool_ && model < pool_->size(); ++model) {
    rows.push_back({pool_->peek(model), pool_->kept(model)});
  }
  return rows;
}

}  // namespace craton::server
