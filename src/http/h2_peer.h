// For tests: the client's end of an HTTP/2 connection, without a socket. What clients never send is
// made by frame().
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace craton::http {

/// One frame's bytes.
inline std::string frame(std::uint8_t type, std::uint8_t flags, std::int32_t stream,
                         std::string_view payload) {
  const auto size = static_cast<std::uint32_t>(payload.size());
  const auto id = static_cast<std::uint32_t>(stream);
  std::string bytes;
  for (const int shift : {16, 8, 0}) bytes += static_cast<char>(size >> shift);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(id >> shift);
  return bytes.append(payload);
}

inline const std::string h2_preface = NGHTTP2_CLIENT_MAGIC + frame(NGHTTP2_SETTINGS, 0, 0, "");

class H2Peer {
 public:
  struct Answer {
    int status = 0;          ///< 0: there is no head yet.
    bool continued = false;  ///< 100 came.
    std::map<std::string, std::string> fields;
    std::string body;
    bool closed = false;
    std::uint32_t code = 0;  ///< Why.
  };
  using Fields = std::vector<std::pair<std::string, std::string>>;

  struct Options {
    std::uint32_t window = 65'535;  ///< Of each stream.
    bool opens_windows = true;      ///< As it reads; otherwise by consume() only.
  };

  H2Peer() : H2Peer(Options()) {}
  explicit H2Peer(Options options) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* of, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                      std::uint8_t, void* self) {
          static_cast<H2Peer*>(self)->note_field(
              of->hd.stream_id, {reinterpret_cast<const char*>(name), name_size},
              {reinterpret_cast<const char*>(value), value_size});
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                      std::size_t size, void* self) {
          static_cast<H2Peer*>(self)->answers_[id].body.append(reinterpret_cast<const char*>(bytes),
                                                               size);
          static_cast<H2Peer*>(self)->order_.push_back(id);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session*, std::int32_t id, std::uint32_t code, void* self) {
          Answer& answer = static_cast<H2Peer*>(self)->answers_[id];
          answer.closed = true;
          answer.code = code;
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* came, void* self) {
          static_cast<H2Peer*>(self)->note_frame(*came);
          return 0;
        });
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, options.opens_windows ? 0 : 1);
    nghttp2_session_client_new2(&session_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.window};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1);
  }
  ~H2Peer() { nghttp2_session_del(session_); }
  H2Peer(const H2Peer&) = delete;
  H2Peer& operator=(const H2Peer&) = delete;

  /// A whole request.
  std::int32_t request(const std::string& method, const std::string& path, std::string body = "",
                       Fields fields = {}) {
    return submit(method, path, std::move(body), std::move(fields), true);
  }

  /// A request whose body comes by data().
  std::int32_t begin(const std::string& method, const std::string& path, Fields fields = {}) {
    return submit(method, path, "", std::move(fields), false);
  }

  void data(std::int32_t id, std::string bytes, bool ends) {
    Upload& upload = uploads_[id];
    upload.bytes += bytes;
    upload.ends = ends;
    nghttp2_session_resume_data(session_, id);
  }

  void reset(std::int32_t id, std::uint32_t code = NGHTTP2_CANCEL) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
  }
  void ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }
  void say_goodbye() {
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, nullptr, 0);
  }
  /// Opens the windows by so many bytes.
  void consume(std::int32_t id, std::size_t size) { nghttp2_session_consume(session_, id, size); }

  /// Bytes for the server.
  std::string output() {
    std::string out;
    while (true) {
      const std::uint8_t* bytes = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
      if (size <= 0) return out;
      out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    }
  }

  void feed(std::string_view bytes) {
    const ssize_t taken = nghttp2_session_mem_recv(
        session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (taken < 0) throw std::runtime_error(nghttp2_strerror(static_cast<int>(taken)));
  }

  const Answer& answer(std::int32_t id) { return answers_[id]; }

  /// Why the server ends the connection, when it said so; the last word counts.
  const std::optional<std::uint32_t>& goaway() const { return goaway_; }
  int goaways() const { return goaways_; }
  int pongs() const { return pongs_; }

  /// The streams that DATA came on, in its order.
  const std::vector<std::int32_t>& order() const { return order_; }

 private:
  struct Upload {
    std::string bytes;
    bool ends = false;
  };

  std::int32_t submit(const std::string& method, const std::string& path, std::string body,
                      Fields fields, bool whole) {
    Fields all{{":method", method}, {":scheme", "http"}, {":path", path}, {":authority", "h"}};
    for (auto& field : fields) {
      if (field.first == ":authority") {
        all.pop_back();
        if (field.second.empty()) continue;
      }
      all.push_back(std::move(field));
    }
    std::vector<nghttp2_nv> list;
    for (auto& [name, value] : all) {
      list.push_back({reinterpret_cast<std::uint8_t*>(name.data()),
                      reinterpret_cast<std::uint8_t*>(value.data()), name.size(), value.size(),
                      NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider provider{};
    provider.read_callback = [](nghttp2_session*, std::int32_t id, std::uint8_t* room,
                                std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                                void* self) -> ssize_t {
      Upload& upload = static_cast<H2Peer*>(self)->uploads_[id];
      const std::size_t taken = std::min(size, upload.bytes.size());
      std::memcpy(room, upload.bytes.data(), taken);
      upload.bytes.erase(0, taken);
      if (upload.bytes.empty() && upload.ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (taken == 0 && !upload.ends) return NGHTTP2_ERR_DEFERRED;
      return static_cast<ssize_t>(taken);
    };
    const bool has_body = !whole || !body.empty();
    const std::int32_t id = nghttp2_submit_request(session_, nullptr, list.data(), list.size(),
                                                   has_body ? &provider : nullptr, nullptr);
    uploads_[id] = {std::move(body), whole};
    return id;
  }

  void note_field(std::int32_t id, std::string name, std::string value) {
    Answer& answer = answers_[id];
    if (name != ":status") {
      answer.fields.emplace(std::move(name), std::move(value));
    } else if (value == "100") {
      answer.continued = true;
    } else {
      answer.status = std::stoi(value);
    }
  }

  void note_frame(const nghttp2_frame& came) {
    if (came.hd.type == NGHTTP2_PING && (came.hd.flags & NGHTTP2_FLAG_ACK) != 0) ++pongs_;
    if (came.hd.type != NGHTTP2_GOAWAY) return;
    ++goaways_;
    goaway_ = came.goaway.error_code;
  }

  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Answer> answers_;
  std::map<std::int32_t, Upload> uploads_;
  std::optional<std::uint32_t> goaway_;
  int goaways_ = 0;
  int pongs_ = 0;
  std::vector<std::int32_t> order_;
};

}  // namespace craton::http
