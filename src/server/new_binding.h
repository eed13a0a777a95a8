// Bindings as JSON: what /_craton/bindings takes and shows.
//
//   {"pattern": "anthropic.*", "model": "script:rules.yaml"}
//   {"pattern": "*", "model": {"upstream": ["http://10.0.0.2:8000"], "api-key-env": "KEY"}}
//   {"pattern": "*", "rules": [{"match": {"prompt": "hi"}, "answer": "hello"}]}
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "server/binding_table.h"
#include "server/served_models.h"

namespace craton::server {

/// Fails with `validation`; the message names the member and what was expected. What a model's
/// settings and rules say is not looked at.
Result<NewBinding> read_new_binding(std::string_view body);

/// {"id":"b2","pattern":"*","model":"b2","engine":"script","added":true,"answered":3}
std::string binding_text(const Bound& bound);

}  // namespace craton::server
