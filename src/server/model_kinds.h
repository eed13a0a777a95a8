// Which kind of engine a configured model is for, and how it is made: models that write text, that
// embed, and that draw.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "engines/pool.h"
#include "models/store.h"
#include "server/config.h"

namespace craton::server {

/// What an engine can do, and what a model id asks for.
enum class Does { writes, embeds, draws };

struct PooledModel {
  engines::PoolModel model;
  Does does;
};

/// The model as the pool takes it. One file may be served twice, with other settings: the second is
/// then called as `models` calls it, so that metrics tell them apart: `names` are taken. Its memory
/// is reckoned where it is `measured`. Fails with `validation` when a file is no model; the message
/// says what to do.
Result<PooledModel> pooled_model(const models::Store& store, const NamedModel& named, bool measured,
                                 const std::vector<std::string>& names);

/// Memory that it takes, about. Fails as pooled_model().
Result<std::uint64_t> model_bytes(const models::Store& store, const NamedModel& named);

}  // namespace craton::server
