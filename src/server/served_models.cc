#include "server/served_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "engines/rules/request_view.h"
#include "engines/script/rule_set.h"
#include "families/embedding_family.h"
#include "families/image_family.h"
#include "models/index.h"
#include "models/store.h"
#include "server/environment.h"

namespace craton::server {
namespace {

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

std::string counted(std::size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
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

/// Which kind of engine an id asks for.
Does does_of(std::string_view model_id) {
  if (families::embedding_family_of(model_id)) return Does::embeds;
  return families::image_family_of(model_id) ? Does::draws : Does::writes;
}

bool counts_tokens(const engines::Request& request) {
  return request.operation == "CountTokens" || request.operation == "anthropic.count_tokens";
}

}  // namespace

ServedModels::ServedModels(const Config& config)
    : config_(config),
      pooled_(std::make_shared<PooledModels>(store_of(config.data), config.memory)),
      faults_(std::make_unique<engines::faults::FaultSet>(config.faults)) {}

Result<std::shared_ptr<ServedModels>> ServedModels::make(const Config& config) {
  const std::shared_ptr<ServedModels> made(new ServedModels(config));
  const std::vector<NamedModel> named = all_models(config);
  CRATON_TRY_ASSIGN(made->configured_, made->answerers_of(named));
  CRATON_TRY_ASSIGN(made->canvas_,
                    make_answerer({.name = {}, .config = {.file = std::string(canvas_name)}}));
  if (!config.model.file.empty()) made->default_ = made->configured_.front();
  if (!config.replay.empty()) {
    CRATON_TRY_ASSIGN(made->library_, open_library(config));
  }
  CRATON_TRY(made->pooled_->begin());
  CRATON_TRY(made->add_encoder());
  made->bound_.start_with(made->rows_of(config, named, made->configured_));
  return made;
}

/// The one that is there already, or a new one. With the mutex held, or before anybody else knows
/// this.
Result<std::shared_ptr<Answerer>> ServedModels::answerer_of(const NamedModel& named) {
  std::erase_if(known_, [](const Known& known) { return known.answerer.expired(); });
  const auto there = std::ranges::find(known_, named, &Known::named);
  if (there != known_.end()) {
    if (auto answerer = there->answerer.lock()) return answerer;
  }
  CRATON_TRY_ASSIGN(std::shared_ptr<Answerer> made, make_answerer(named));
  if (!made) {
    CRATON_TRY_ASSIGN(made, pooled_->add(named));
  }
  known_.push_back({named, made});
  return made;
}

Result<ServedModels::Answerers> ServedModels::answerers_of(const std::vector<NamedModel>& models) {
  Answerers answerers;
  for (const NamedModel& model : models) {
    CRATON_TRY_ASSIGN(auto answerer, answerer_of(model));
    answerers.push_back(std::move(answerer));
  }
  return answerers;
}

/// `answerers`: of each of `models`.
BindingTable::Rows ServedModels::rows_of(const Config& config,
                                         const std::vector<NamedModel>& models,
                                         const Answerers& answerers) const {
  BindingTable::Rows rows;
  for (const Binding& binding : config.bindings) {
    const auto model = std::ranges::find(models, binding.model, &NamedModel::name);
    auto bound = std::make_shared<Bound>();
    bound->pattern = binding.pattern;
    bound->model = binding.model;
    bound->answerer = answerers[static_cast<std::size_t>(model - models.begin())];
    rows.push_back(std::move(bound));
  }
  return rows;
}

/// What embeds where no binding does: the default model, or the one that was pulled. Memory that
/// does not suffice for it beside the kept ones is no reason not to start.
Result<void> ServedModels::add_encoder() {
  if (default_ && default_->does() == Does::embeds) {
    encoder_ = default_;
    return {};
  }
  const std::optional<NamedModel> encoder = pulled_encoder(config_, store_of(config_.data));
  if (!encoder) return {};
  const std::vector<NamedModel> named = all_models(config_);
  const auto there = std::ranges::find(named, encoder->name, &NamedModel::name);
  if (there != named.end()) {
    encoder_ = configured_[static_cast<std::size_t>(there - named.begin())];
    return {};
  }
  if (!pooled_->fits(*encoder)) {
    log::warning("encoder_left_out", {{"model", encoder->name}, {"reason", "memory"}});
    return {};
  }
  CRATON_TRY_ASSIGN(encoder_, answerer_of(*encoder));
  return {};
}

const Answerer* ServedModels::default_for(Does wanted) const {
  const bool told_draws = default_ && default_->does() == Does::draws;
  switch (wanted) {
    case Does::embeds: return encoder_.get();
    case Does::draws: return told_draws ? default_.get() : canvas_.get();
    case Does::writes: break;
  }
  return told_draws ? nullptr : default_.get();
}

service::FoundEngine ServedModels::engine_for(const engines::Request& request) const {
  service::FoundEngine found;
  engines::rules::RequestView view(request);
  faults_->draw(view, found.faults);
  const Does wanted = does_of(request.model_id);
  if (library_) {
    found.engine = library_->claim(request);
    if (!found.engine && !config_.replay_or_ask) {
      found.why_none = Error{ErrorCode::resource_not_found, library_->why_none(request)};
    }
    if (found.engine || found.why_none) return found;
  }
  std::shared_ptr<engines::script::RuleSet> passed;  // the first rules none of which fit
  const auto answers = [&](const Answerer& answerer) {
    found.engine = answerer.claim(view, request, found.faults);
    if (!found.engine && !passed) {
      passed = answerer.rules();
      if (passed && !passed->has_rules_for(request.wanted)) passed = nullptr;
    }
    return found.engine != nullptr;
  };
  const std::shared_ptr<const BindingTable::Rows> rows = bound_.rows();
  for (const auto& row : *rows) {
    if (!row->answerer->can(wanted) || !row->fits(request.model_id, request.asked_id)) continue;
    if (!answers(*row->answerer)) continue;
    ++row->answered;
    return found;
  }
  const bool told = wanted != Does::writes && default_ && default_->looks_itself();
  if (told && answers(*default_)) return found;
  const Answerer* otherwise = default_for(wanted);
  if (otherwise && answers(*otherwise)) return found;
  if (!passed) return found;
  if (counts_tokens(request)) {
    found.engine = passed->counter();
  } else {
    found.why_none = Error{ErrorCode::resource_not_found, passed->why_none(view)};
  }
  return found;
}

bool ServedModels::any() const {
  const bool some = bound_.forwards() || (default_ && default_->forwarder());
  return some && !library_ && faults_->empty();
}

std::shared_ptr<client::Forwarder> ServedModels::find(std::string_view model_id,
                                                      std::string_view asked_id) const {
  const std::shared_ptr<const BindingTable::Rows> rows = bound_.rows();
  for (const auto& row : *rows) {
    const bool fits = model_id.empty() ? row->pattern == "*" : row->fits(model_id, asked_id);
    if (!fits) continue;
    auto forwarder = row->answerer->forwarder();
    if (forwarder) ++row->answered;  // else it is answered, and counted, here
    return forwarder;
  }
  return default_ ? default_->forwarder() : nullptr;
}

ServedModels::Answerers ServedModels::all_answerers() const {
  Answerers all;
  {
    const std::lock_guard lock(mutex_);
    all = configured_;
  }
  const std::shared_ptr<const BindingTable::Rows> rows = bound_.rows();
  for (const auto& row : *rows) {
    if (std::ranges::find(all, row->answerer) == all.end()) all.push_back(row->answerer);
  }
  return all;
}

Result<void> ServedModels::reload_rules() {
  Result<void> outcome;
  for (const auto& answerer : all_answerers()) {
    const Result<void> read = answerer->reload();
    if (!read && outcome) outcome = read.error();
  }
  return outcome;
}

Result<void> ServedModels::rebind(const Config& config) {
  if (config.model != config_.model) {
    return Error{
        ErrorCode::validation,
        "The default model, or a setting of all models, is another now; that needs a start "
        "anew."};
  }
  const std::vector<NamedModel> named = all_models(config);
  Answerers before;  // ends without the mutex
  const std::lock_guard lock(mutex_);
  CRATON_TRY_ASSIGN(Answerers answerers, answerers_of(named));
  bound_.start_with(rows_of(config, named, answerers));
  before = std::exchange(configured_, std::move(answerers));
  return {};
}

/// With the mutex held.
Result<std::shared_ptr<Answerer>> ServedModels::answerer_of(const NewBinding& binding,
                                                            const std::string& id) {
  if (!binding.rules.empty()) return make_told_rules(binding.rules, id);
  if (binding.settings.empty()) {
    for (const NamedModel& named : all_models(config_)) {
      if (named.name == binding.model) return answerer_of(named);
    }
  }
  const std::string& name = binding.settings.empty() ? binding.model : id;
  CRATON_TRY_ASSIGN(const NamedModel named, named_model(config_, name, binding.settings));
  return answerer_of(named);
}

Result<void> ServedModels::bind(const NewBinding& binding) {
  auto bound = std::make_shared<Bound>();
  const std::lock_guard lock(mutex_);
  bound->id = bound_.new_id();
  bound->pattern = binding.pattern;
  bound->model = binding.model.empty() ? bound->id : binding.model;
  CRATON_TRY_ASSIGN(bound->answerer, answerer_of(binding, bound->id));
  bound_.add(std::move(bound));
  return {};
}

void ServedModels::reset() {
  bound_.reset();
  for (const auto& answerer : all_answerers()) {
    if (const auto rules = answerer->rules()) rules->reset();
  }
  if (library_) library_->reset();
  faults_->clear();
  for (const engines::faults::Fault& fault : config_.faults) (void)faults_->add(fault);
}

std::vector<std::string> ServedModels::rules_told() const {
  std::vector<std::string> told;
  for (const auto& answerer : all_answerers()) {
    const auto rules = answerer->rules();
    if (!rules) continue;
    const engines::script::RulesFile& file = rules->file();
    told.push_back(file.name + ": " + counted(file.rules.size(), "rule") +
                   (file.faults.empty() ? "" : ", " + counted(file.faults.size(), "fault")));
  }
  return told;
}

std::string ServedModels::recordings_told() const {
  if (!library_) return {};
  return library_->folder().string() + ": " + counted(library_->size(), "recorded answer");
}

std::vector<PooledModels::Row> ServedModels::rows() const {
  std::vector<PooledModels::Row> rows;
  for (const auto& answerer : all_answerers()) {
    if (auto engine = answerer->watched()) rows.push_back({std::move(engine), true});
  }
  std::ranges::move(pooled_->rows(), std::back_inserter(rows));
  return rows;
}

}  // namespace craton::server
