// Painter: stable-diffusion.cpp, behind values.
//
// One thread uses it, with some hundred MiB of stack: the library splits prompts by regular
// expressions that take a frame for each character.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "base/result.h"
#include "engines/diffusion/messages.h"

struct sd_ctx_t;

namespace craton::engines::diffusion {

class Painter {
 public:
  /// `say` is told what the library tells, on whatever thread it does.
  explicit Painter(std::function<void(Said::Level level, std::string text)> say);
  ~Painter();
  Painter(const Painter&) = delete;
  Painter& operator=(const Painter&) = delete;

  /// Once. Fails with `model_error` and the first thing that the library found wrong.
  Result<void> load(const Load& load);

  /// `progress(step, steps)` is called before the first step and after each; the drawing ends when
  /// it gives false. Only after load().
  std::variant<Finished, Undone> draw(const Draw& draw,
                                      std::function<bool(int step, int steps)> progress);

 private:
  struct FreeContext {
    void operator()(sd_ctx_t* context) const;
  };

  static void on_log(int level, const char* text, void* painter);
  static void on_progress(int step, int steps, float seconds, void* painter);

  std::function<void(Said::Level, std::string)> say_;
  std::string first_error_;  ///< Of what is being done, and the most telling one.
  int errors_ = 0;
  std::function<bool(int, int)> progress_;  ///< While it draws.
  std::unique_ptr<sd_ctx_t, FreeContext> context_;
};

}  // namespace craton::engines::diffusion
