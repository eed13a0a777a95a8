// What Converse, ConverseStream and CountTokens share: a conversation of the API's own form, read
// for a model.
#pragma once

#include <boost/json/fwd.hpp>

#include "base/result.h"
#include "catalog/catalog.h"
#include "converse/additional_fields.h"
#include "converse/request.h"
#include "service/operations.h"

namespace craton::service {

/// Fails with `validation` when Converse does not speak to `model`.
Result<void> refuse_no_chat(const catalog::Model& model);

/// Who answers for `model`.
converse::Provider provider_of(const Call& call, const catalog::Model& model);

/// Reads the members of a Converse input, and applies the provider's own fields.
Result<converse::Request> read_converse(const boost::json::object& input,
                                        const converse::Provider& provider,
                                        const catalog::Model& model, converse::Delivery delivery);

}  // namespace craton::service
