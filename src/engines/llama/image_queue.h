// ImageQueue: encodes the images of prompts, before a Scheduler gets them.
//
//   generate() ── put() ──► waiting ──► one thread: encode, image by image ──► done(request)
//   (caller's thread)          │
//                              └─ given up, late, damaged, engine stops: forgotten or a Failure
//
// In order of arrival, one at a time. Requests whose callers have left or whose time is up go
// between two images: an image that is being encoded is finished. Embeddings are large (16 KB a
// cell, of a model 4096 wide) and stay until their request is gone, so no prompt is encoded while
// those of others hold more than `cells_max` together.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "engines/llama/image_piece.h"
#include "engines/llama/scheduler.h"
#include "engines/llama/tokenizer.h"

namespace craton::engines::llama {

/// A request whose prompt is not whole yet.
struct UnseenRequest {
  Request request;  ///< Without a prompt.
  TokenizedPrompt text;
  std::vector<std::string> images;  ///< Files, by the numbers of `text.images`.
  int cells = 0;                    ///< Of the whole prompt, as measured.
};

class ImageQueue {
 public:
  using Encode = std::function<Result<ImagePieces>(std::string_view file)>;
  using Done = std::function<void(Request request)>;

  /// Both are called on the queue's thread; `encode` may take seconds. Requests that `done` gets
  /// must be gone before the queue is.
  ImageQueue(Encode encode, Done done, int cells_max);
  ~ImageQueue();

  void put(UnseenRequest request);

  /// Ends every answer that is here with a Failure, and what comes later too. Returns when `done`
  /// is not going to be called any more. Idempotent.
  void stop();

 private:
  void run();
  std::optional<UnseenRequest> next();
  bool may_begin() const;
  void drop_given_up(const std::unique_lock<std::mutex>& held);
  void see(UnseenRequest request);
  Result<Prompt> seen(const UnseenRequest& request);
  std::shared_ptr<void> hold(int cells, std::shared_ptr<void> place);

  const Encode encode_;
  const Done done_;
  const int cells_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<UnseenRequest> waiting_;
  int cells_held_ = 0;  ///< Of prompts with embeddings that are not gone.
  std::atomic<bool> stopped_ = false;
  std::thread thread_;  // last: uses all of the above
};

}  // namespace craton::engines::llama
