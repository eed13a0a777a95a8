#pragma once
#include <string>
#include <string_view>
namespace craton::event_stream {
void append_event(std::string_view event_type, std::string_view json, std::string& out);
void append_exception(std::string_view exception_type, std::string_view json, std::string& out);
void append_chunk(std::string_view native_json, std::string& out);
}  // namespace craton::event_stream
