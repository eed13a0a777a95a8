#include "server/answerer.h"

#include <array>
#include <mutex>
#include <string>
#include <utility>

#include "engines/aws/aws_engine.h"
#include "engines/canvas/canvas_engine.h"
#include "engines/script/rules_file.h"
#include "engines/upstream/upstream_engine.h"
#include "server/aws_account.h"
#include "server/upstream_model.h"

namespace craton::server {
namespace {

using engines::Engine;
using engines::Request;
using engines::faults::Struck;
using engines::rules::RequestView;
using engines::script::RuleSet;
using engines::script::RulesFile;

class Rules final : public Answerer {
 public:
  /// `path`: of a file that may be read again; empty: there is none.
  Rules(std::string path, RulesFile file)
      : path_(std::move(path)), set_(std::make_shared<RuleSet>(std::move(file))) {}

  std::string_view kind() const override { return "script"; }
  bool can(Does) const override { return true; }
  bool looks_itself() const override { return true; }
  Does does() const override { return Does::writes; }

  std::shared_ptr<Engine> claim(RequestView& view, const Request&, Struck& struck) const override {
    return rules()->claim(view, struck);
  }

  std::shared_ptr<RuleSet> rules() const override {
    const std::lock_guard lock(mutex_);
    return set_;
  }

  Result<void> reload() override {
    if (path_.empty()) return {};
    CRATON_TRY_ASSIGN(RulesFile file, engines::script::read_rules_file(path_));
    auto fresh = std::make_shared<RuleSet>(std::move(file));
    const std::lock_guard lock(mutex_);
    set_ = std::move(fresh);
    return {};
  }

 private:
  const std::string path_;
  mutable std::mutex mutex_;
  std::shared_ptr<RuleSet> set_;
};

class Canvas final : public Answerer {
 public:
  std::string_view kind() const override { return canvas_name; }
  bool can(Does wanted) const override { return wanted == Does::draws; }
  Does does() const override { return Does::draws; }

  std::shared_ptr<Engine> claim(RequestView&, const Request&, Struck&) const override {
    return engine_;
  }

 private:
  const std::shared_ptr<Engine> engine_ = engines::canvas::make_canvas_engine();
};

/// Other servers write, and embed where ids that do are bound to them.
class Upstream final : public Answerer {
 public:
  explicit Upstream(engines::upstream::UpstreamOptions options)
      : engine_(engines::upstream::make_upstream_engine(std::move(options))) {}

  std::string_view kind() const override { return engine_->kind(); }
  bool can(Does wanted) const override { return wanted != Does::draws; }
  Does does() const override { return Does::writes; }

  std::shared_ptr<Engine> claim(RequestView&, const Request&, Struck&) const override {
    return engine_;
  }

  std::shared_ptr<const Engine> watched() const override { return engine_; }

 private:
  const std::shared_ptr<Engine> engine_;
};

class Aws final : public Answerer {
 public:
  explicit Aws(AwsAccount account) : account_(std::move(account)) {}

  std::string_view kind() const override { return aws_name; }
  bool can(Does) const override { return true; }
  bool looks_itself() const override { return true; }
  Does does() const override { return Does::writes; }

  std::shared_ptr<Engine> claim(RequestView&, const Request& request, Struck&) const override {
    const std::string_view asked = request.asked_id.empty() ? request.model_id : request.asked_id;
    return engines::aws::make_aws_engine(account_.client, std::string(asked));
  }

  std::shared_ptr<client::Forwarder> forwarder() const override { return account_.forwarder; }

 private:
  const AwsAccount account_;
};

using Made = Result<std::shared_ptr<Answerer>>;

Made make_rules(const NamedModel& named) {
  CRATON_TRY_ASSIGN(RulesFile file, engines::script::read_rules_file(named.config.script));
  return std::make_shared<Rules>(named.config.script, std::move(file));
}

Made make_canvas(const NamedModel&) { return std::make_shared<Canvas>(); }

Made make_upstream(const NamedModel& named) {
  CRATON_TRY_ASSIGN(auto options, upstream_options(named));
  return std::make_shared<Upstream>(std::move(options));
}

Made make_aws(const NamedModel& named) {
  CRATON_TRY_ASSIGN(AwsAccount account, open_aws_account(named));
  return std::make_shared<Aws>(std::move(account));
}

struct Kind {
  bool (*is)(const ModelConfig& config);
  Made (*make)(const NamedModel& named);
};
constexpr std::array kinds{
    Kind{[](const ModelConfig& config) { return !config.upstream.empty(); }, make_upstream},
    Kind{[](const ModelConfig& config) { return config.aws; }, make_aws},
    Kind{[](const ModelConfig& config) { return !config.script.empty(); }, make_rules},
    Kind{[](const ModelConfig& config) { return config.file == canvas_name; }, make_canvas},
};

}  // namespace

Made make_answerer(const NamedModel& named) {
  for (const Kind& kind : kinds) {
    if (kind.is(named.config)) return kind.make(named);
  }
  return std::shared_ptr<Answerer>();
}

Made make_told_rules(std::string_view text, std::string name) {
  CRATON_TRY_ASSIGN(RulesFile file, engines::script::parse_rules(text, {std::move(name), {}}));
  return std::make_shared<Rules>(std::string(), std::move(file));
}

}  // namespace craton::server
