#include "engines/faults/fault_set.h"

#include <algorithm>
#include <utility>

namespace craton::engines::faults {

FaultSet::Counted FaultSet::counted(std::shared_ptr<const Fault> fault) {
  const std::uint64_t seed = fault->seed;
  return {std::move(fault), std::mt19937_64(seed)};
}

FaultSet::FaultSet(std::vector<Fault> faults) {
  for (Fault& fault : faults) {
    faults_.push_back(counted(std::make_shared<const Fault>(std::move(fault))));
  }
}

Result<void> FaultSet::add(Fault fault) {
  const std::lock_guard lock(mutex_);
  if (faults_.size() >= faults_max) {
    return Error{ErrorCode::validation, "There are " + std::to_string(faults_max) +
                                            " faults already; take some away first."};
  }
  faults_.push_back(counted(std::make_shared<const Fault>(std::move(fault))));
  return {};
}

void FaultSet::clear() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

void FaultSet::reset() {
  const std::lock_guard lock(mutex_);
  for (Counted& one : faults_) one = counted(one.fault);
}

bool FaultSet::strikes(Counted& one) {
  const Fault& fault = *one.fault;
  ++one.matched;
  if (const auto& calls = fault.match.calls()) {
    if (one.matched < calls->first || one.matched > calls->last) return false;
  }
  if (one.matched <= fault.after) return false;
  if (fault.count > 0 && one.struck >= fault.count) return false;
  constexpr double parts = 9007199254740992.0;  // 2^53: a double's fractions of one
  const double drawn = static_cast<double>(one.random() >> 11) / parts;
  if (drawn >= fault.probability) return false;
  ++one.struck;
  return true;
}

void FaultSet::draw(rules::RequestView& request, Struck& struck) {
  const std::lock_guard lock(mutex_);
  for (Counted& one : faults_) {
    const Fault& fault = *one.fault;
    const bool has_kind =
        std::ranges::any_of(struck, [&](const auto& other) { return other->kind == fault.kind; });
    if (has_kind || !applies(fault, request.request())) continue;
    if (fault.match.fits(request, nullptr) && strikes(one)) struck.push_back(one.fault);
  }
}

bool FaultSet::empty() const {
  const std::lock_guard lock(mutex_);
  return faults_.empty();
}

std::vector<FaultSet::Row> FaultSet::rows() const {
  const std::lock_guard lock(mutex_);
  std::vector<Row> rows;
  for (const Counted& one : faults_) rows.push_back({one.fault->name, one.matched, one.struck});
  return rows;
}

}  // namespace craton::engines::faults
