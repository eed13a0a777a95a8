#include "engines/diffusion/worker/painter.h"

#include <sched.h>
#include <stable-diffusion.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <limits>
#include <mutex>
#include <string_view>
#include <utility>

namespace craton::engines::diffusion {
namespace {

/// Thrown by the progress callback through the library, between two of its steps: it has no other
/// way to be stopped. Its own objects clean up after themselves.
struct Stopped {};

/// Physical cores, but no more than this process may use.
int threads_of(std::uint32_t wanted) {
  if (wanted > 0) return static_cast<int>(wanted);
  cpu_set_t usable;
  CPU_ZERO(&usable);
  const int allowed = sched_getaffinity(0, sizeof usable, &usable) == 0 ? CPU_COUNT(&usable) : 1;
  return std::clamp(static_cast<int>(sd_get_num_physical_cores()), 1, std::max(1, allowed));
}

/// What the library gives away by malloc().
struct FreeImages {
  void operator()(sd_image_t* images) const {
    std::free(images->data);
    std::free(images);
  }
};

sd_image_t image_of(const std::string& bytes, const Draw& draw, std::uint32_t channels) {
  if (bytes.empty()) return {};
  // It is read alone.
  auto* data = reinterpret_cast<std::uint8_t*>(const_cast<char*>(bytes.data()));
  return {draw.width, draw.height, channels, data};
}

/// A file without half of its tensors is told of by a line for each; the first ones will do.
constexpr int errors_told = 5;

/// What the library says, without its own place in the code: "model.cpp:1067 - ".
std::string line_of(std::string_view text) {
  constexpr std::string_view behind_place = " - ";
  const std::size_t place = text.find(behind_place);
  if (place != text.npos && text.substr(0, place).find("pp:") != text.npos) {  // .cpp or .hpp
    text.remove_prefix(place + behind_place.size());
  }
  const std::size_t end = text.find_last_not_of(" \n");
  return std::string(text.substr(0, std::min(end == text.npos ? 0 : end + 1, text_max)));
}

}  // namespace

Painter::Painter(std::function<void(Said::Level, std::string)> say) : say_(std::move(say)) {
  sd_set_log_callback(
      [](sd_log_level_t level, const char* text, void* painter) { on_log(level, text, painter); },
      this);
  sd_set_progress_callback(on_progress, this);
}

Painter::~Painter() {
  sd_set_log_callback(nullptr, nullptr);
  sd_set_progress_callback(nullptr, nullptr);
}

void Painter::FreeContext::operator()(sd_ctx_t* context) const { free_sd_ctx(context); }

void Painter::on_log(int level, const char* text, void* painter) {
  static std::mutex mutex;  // it loads with several threads
  const std::lock_guard lock(mutex);
  auto& self = *static_cast<Painter*>(painter);
  constexpr std::array levels{Said::Level::debug, Said::Level::info, Said::Level::warning,
                              Said::Level::error};
  std::string line = line_of(text);
  if (level == SD_LOG_ERROR) {
    if (self.first_error_.empty()) self.first_error_ = line;
    if (++self.errors_ > errors_told) level = SD_LOG_DEBUG;
  }
  self.say_(levels[static_cast<std::size_t>(std::clamp(level, 0, 3))], std::move(line));
}

void Painter::on_progress(int step, int steps, float, void* painter) {
  const auto& progress = static_cast<Painter*>(painter)->progress_;
  if (progress && !progress(step, steps)) throw Stopped();
}

Result<void> Painter::load(const Load& load) {
  sd_ctx_params_t params;
  sd_ctx_params_init(&params);
  params.model_path = load.model.c_str();
  params.diffusion_model_path = load.diffusion_model.c_str();
  params.vae_path = load.vae.c_str();
  params.taesd_path = load.taesd.c_str();
  params.clip_l_path = load.clip_l.c_str();
  params.clip_g_path = load.clip_g.c_str();
  params.t5xxl_path = load.t5xxl.c_str();
  params.n_threads = threads_of(load.threads);
  params.vae_decode_only = false;  // sources are encoded
  params.free_params_immediately = false;
  try {
    context_.reset(new_sd_ctx(&params));
  } catch (const std::exception& exception) {
    first_error_ = exception.what();
  }
  if (!context_) {
    return Error{ErrorCode::model_error,
                 first_error_.empty() ? "stable-diffusion.cpp does not say why" : first_error_};
  }
  if (sd_ctx_supports_image_generation(context_.get())) return {};
  return Error{ErrorCode::model_error, "the model makes videos, no images"};
}

std::variant<Finished, Undone> Painter::draw(const Draw& draw,
                                             std::function<bool(int, int)> progress) {
  sd_img_gen_params_t params;
  sd_img_gen_params_init(&params);
  params.prompt = draw.prompt.c_str();
  params.negative_prompt = draw.negative_prompt.c_str();
  params.width = static_cast<int>(draw.width);
  params.height = static_cast<int>(draw.height);
  params.seed = static_cast<std::int64_t>(draw.seed);
  params.batch_count = 1;
  params.strength = static_cast<float>(draw.strength);
  params.init_image = image_of(draw.source, draw, 3);
  params.mask_image = image_of(draw.mask, draw, 1);
  sd_sample_params_t& sample = params.sample_params;
  sample.sample_steps = static_cast<int>(draw.steps);
  sample.guidance.txt_cfg = static_cast<float>(draw.guidance);
  if (draw.distilled_guidance > 0) {
    sample.guidance.distilled_guidance = static_cast<float>(draw.distilled_guidance);
  }
  if (!draw.sampler.empty()) {
    sample.sample_method = str_to_sample_method(draw.sampler.c_str());
    sample.eta = static_cast<float>(draw.eta);
  }
  Undone undone{.id = draw.id};
  first_error_.clear();
  errors_ = 0;
  progress_ = std::move(progress);
  std::unique_ptr<sd_image_t, FreeImages> image;
  try {
    image.reset(generate_image(context_.get(), &params));
  } catch (const Stopped&) {
    undone.cancelled = true;
  } catch (const std::exception& exception) {
    undone.reason = exception.what();
  }
  progress_ = nullptr;
  if (undone.cancelled || !undone.reason.empty()) return undone;
  if (!image || !image->data || image->channel != 3) {
    undone.reason =
        first_error_.empty() ? "stable-diffusion.cpp does not say why" : std::move(first_error_);
    return undone;
  }
  const std::size_t size = std::size_t{3} * image->width * image->height;
  return Finished{.id = draw.id,
                  .width = image->width,
                  .height = image->height,
                  .rgb = std::string(reinterpret_cast<const char*>(image->data), size)};
}

}  // namespace craton::engines::diffusion
