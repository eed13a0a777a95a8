#include "documents/pdf.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/utf8.h"
#include "documents/problems.h"
#include "documents/run_program.h"

namespace craton::documents {
namespace {

using End = ProgramResult::End;

Error what_went_wrong(const ProgramResult& result, const DocumentLimits& limits) {
  switch (result.end) {
    case End::not_found:
      return unreadable("pdf",
                        "this server has no pdftotext. Install it where Craton runs (the package "
                        "is called poppler-utils), or send the document as txt, html or docx");
    case End::took_too_long: return unreadable("pdf", "reading it takes too long");
    case End::said_too_much: return too_much_text("pdf", limits);
    case End::killed:
      return unreadable("pdf", "it is damaged, or reading it takes too much memory");
    case End::failed:
      return {ErrorCode::service_unavailable,
              "The document cannot be read now: the server is out of processes or memory."};
    case End::exited: break;
  }
  const bool locked = result.errors.find("Incorrect password") != result.errors.npos;
  return unreadable("pdf", locked ? "it is locked by a password" : "it is damaged");
}

/// pdftotext ends each page with a form feed; here one blank line is between two.
std::string with_blank_lines(std::string_view output) {
  std::string text;
  for (const char c : output) {
    const char here = c == '\f' ? '\n' : c;
    if (here == '\n' && (text.empty() || text.ends_with("\n\n"))) continue;
    text += here;
  }
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

Result<std::string> pdf_text(std::string_view bytes, const DocumentLimits& limits) {
  // "-": standard input, standard output.
  const std::vector<std::string> command{
      std::string(limits.pdf_program), "-q", "-enc", "UTF-8", "-eol", "unix", "-", "-"};
  ProgramResult result = run_program(command, bytes,
                                     {.time_max = limits.pdf_time_max,
                                      .output_bytes_max = limits.text_bytes_max,
                                      .memory_bytes_max = limits.pdf_memory_max});
  if (result.end != End::exited || result.status != 0) return what_went_wrong(result, limits);
  const std::string text = with_blank_lines(mended_utf8(result.output));
  if (text.empty())
    return unreadable("pdf", "it has no text; pages that are only images are not supported");
  return text;
}

std::string pdf_reader_path() {
  const char* variable = std::getenv("PATH");
  std::string_view path = variable ? variable : "/usr/local/bin:/usr/bin:/bin";
  while (!path.empty()) {
    const std::size_t end = std::min(path.find(':'), path.size());
    const auto file = std::filesystem::path(path.substr(0, end)) / DocumentLimits::pdf_to_text;
    if (end > 0 && access(file.c_str(), X_OK) == 0) return file.string();
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return {};
}

}  // namespace craton::documents
