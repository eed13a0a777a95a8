// Attendant: stays with a request until its answer is over, and then tells those who look at it:
// the metrics, the program's log, the invocation log, the journal.
//
// The answer is over when it has been handed to the connection; a streamed one when its last byte
// has, or when the caller has left.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"
#include "service/interaction.h"
#include "service/invocation_log.h"
#include "service/journal.h"
#include "service/service_metrics.h"

namespace craton::service {

class Attendant {
 public:
  Attendant(http::Request request, std::shared_ptr<ServiceMetrics> metrics,
            std::shared_ptr<InvocationLog> invocation_log, std::shared_ptr<Journal> journal);
  ~Attendant();
  Attendant(const Attendant&) = delete;
  Attendant& operator=(const Attendant&) = delete;

  const Interaction& interaction() const { return *interaction_; }

  /// Takes down what the answer is.
  void answered(const http::Response& response);

  /// Keeps the body of a whole answer, which it shares with the response.
  void keep_body(http::Response& response);

  /// The body is a stream, whose pieces sent() is told of. What nobody looks at goes now.
  void begin_stream();

  /// A piece of a streamed body that is to go out.
  void sent(const std::string& bytes);

 private:
  std::size_t pieces_kept() const;
  std::string_view error() const;
  void count() const;
  void write() const;

  const std::shared_ptr<ServiceMetrics> metrics_;
  const std::shared_ptr<InvocationLog> invocation_log_;
  const std::shared_ptr<Journal> journal_;
  const std::shared_ptr<Interaction> interaction_;
  bool logged_ = false;      ///< The invocation log wants it.
  bool kept_whole_ = false;  ///< It, or the journal, does.
  std::size_t kept_ = 0;     ///< Bytes of pieces.
};

/// Hands `response` over: its attendant goes with the last byte.
void attend(std::unique_ptr<Attendant> attendant, http::Response& response);

}  // namespace craton::service
