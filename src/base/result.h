// A value or the Error that prevented it: how every floor reports what the world may do.
//
// Result<T> is tl::expected (std::expected in C++23) made [[nodiscard]]. CRATON_TRY and
// CRATON_TRY_ASSIGN leave the function with the error, if there is one; CRATON_CO_TRY and
// CRATON_CO_TRY_ASSIGN do the same in a coroutine.
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"

namespace craton {

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;

 public:
  using Base::Base;
  Result(Base base) : Base(std::move(base)) {}
  Result(Error error) : Base(tl::unexpect, std::move(error)) {}
};

}  // namespace craton

#define CRATON_CONCAT_INNER(a, b) a##b
#define CRATON_CONCAT(a, b) CRATON_CONCAT_INNER(a, b)

#define CRATON_TRY_WITH(leave, expression)                     \
  do {                                                         \
    auto craton_result = (expression);                         \
    if (!craton_result) {                                      \
      leave ::craton::Error(std::move(craton_result).error()); \
    }                                                          \
  } while (false)

#define CRATON_TRY_ASSIGN_WITH(leave, result, target, expression) \
  auto result = (expression);                                     \
  if (!result) leave ::craton::Error(std::move(result).error());  \
  target = std::move(*result)

#define CRATON_TRY(expression) CRATON_TRY_WITH(return, expression)
#define CRATON_CO_TRY(expression) CRATON_TRY_WITH(co_return, expression)
#define CRATON_TRY_ASSIGN(target, expression) \
  CRATON_TRY_ASSIGN_WITH(return, CRATON_CONCAT(craton_result_, __LINE__), target, expression)
#define CRATON_CO_TRY_ASSIGN(target, expression) \
  CRATON_TRY_ASSIGN_WITH(co_return, CRATON_CONCAT(craton_result_, __LINE__), target, expression)
