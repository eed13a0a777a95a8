// Answerer: what model ids may be bound to: a model of this machine's, a file of rules, the engine
// that draws without a model, other servers, or AWS.
//
// Threads: any function may be called from any thread.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "client/forwarder.h"
#include "engines/engine.h"
#include "engines/faults/fault_set.h"
#include "engines/request.h"
#include "engines/rules/request_view.h"
#include "engines/script/rule_set.h"
#include "server/config.h"
#include "server/model_kinds.h"

namespace craton::server {

/// What names the engine that draws without a model, where a model could stand.
inline constexpr std::string_view canvas_name = "canvas";

class Answerer {
 public:
  virtual ~Answerer() = default;

  /// As `x-craton-engine` calls it: "script".
  virtual std::string_view kind() const = 0;

  /// Whether it may be asked for what ids of that kind give.
  virtual bool can(Does wanted) const = 0;

  /// Whether it looks at each request itself, whatever kind of id that is for.
  virtual bool looks_itself() const { return false; }

  /// What it is there for, where it stands for all ids.
  virtual Does does() const = 0;

  /// What answers this request, for as long as it is held; null: rules of which none fits. Adds the
  /// faults that strike.
  virtual std::shared_ptr<engines::Engine> claim(engines::rules::RequestView& view,
                                                 const engines::Request& request,
                                                 engines::faults::Struck& struck) const = 0;

  /// What hands requests on as they came; null: they are answered here.
  virtual std::shared_ptr<client::Forwarder> forwarder() const { return nullptr; }

  /// The rules in use; null where it is none of that kind.
  virtual std::shared_ptr<engines::script::RuleSet> rules() const { return nullptr; }

  /// Reads its file again, where it has one that may change. Fails, changing nothing, as at first.
  virtual Result<void> reload() { return {}; }

  /// The one engine that is told of in /metrics; null: none, or one of the pool's.
  virtual std::shared_ptr<const engines::Engine> watched() const { return nullptr; }
};

/// What needs no file of weights: rules, the canvas, other servers and AWS. Null for a model.
/// Fails with `validation`; the message says what to do.
Result<std::shared_ptr<Answerer>> make_answerer(const NamedModel& named);

/// Rules that are told instead of a file; `name` stands for the file's. They may name no files.
Result<std::shared_ptr<Answerer>> make_told_rules(std::string_view text, std::string name);

}  // namespace craton::server
