#include "engines/upstream/verdict.h"

#include "engines/refusals.h"

namespace craton::engines::upstream {
namespace {

Refusal refusal(Error error) { return {{std::move(error), {}}, {}}; }

Outcome outcome_of(int status) {
  switch (status) {
    case 429:
    case 503: return Outcome::overloaded;
    case 400:
    case 413:
    case 422: return Outcome::answered;
    default: break;
  }
  return status >= 400 ? Outcome::failed : Outcome::broken;
}

Verdict of_refusal(const TransferOutcome& transfer) {
  Verdict verdict{outcome_of(transfer.status), false, refusal_of(transfer.status, transfer.body)};
  verdict.elsewhere = verdict.outcome == Outcome::overloaded;
  return verdict;
}

}  // namespace

Verdict verdict_of(const TransferOutcome& transfer) {
  if (transfer.status != 0 && transfer.status != 200) return of_refusal(transfer);
  switch (transfer.fault) {
    case http::TransferFault::none: return {};
    case http::TransferFault::unreachable:
      if (transfer.past_deadline) return {Outcome::unreachable, false, refusal(timed_out())};
      return {Outcome::unreachable, true, refusal(none_takes_it(Balancer::Why::down))};
    case http::TransferFault::timed_out: break;
    case http::TransferFault::broken:
    case http::TransferFault::cancelled: return {Outcome::broken, false, refusal(broken_off())};
  }
  // An answer that came until the end of the caller's time is no fault of the replica's.
  const bool was_answering = transfer.past_deadline && transfer.status != 0;
  return {was_answering ? Outcome::given_up : Outcome::broken, false, refusal(timed_out())};
}

Error none_takes_it(Balancer::Why why) {
  if (why == Balancer::Why::busy) return throttled();
  return {ErrorCode::service_unavailable,
          "No server that answers for this model can be reached. Try your request again."};
}

}  // namespace craton::engines::upstream
