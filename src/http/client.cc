#include "http/client.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "http/curl_library.h"

namespace craton::http {
namespace {

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Multi = std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)>;

bool is_loopback(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == url.npos) return false;
  const std::string_view place = url.substr(scheme + 3);
  const std::string_view host = place.substr(0, place.find_first_of(":/"));
  return host.starts_with("127.") || host == "localhost" || place.starts_with("[::1]");
}

SteadyTime now() { return std::chrono::steady_clock::now(); }

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

class FieldList {
 public:
  void add(const std::string& line) {
    list_.reset(curl_slist_append(list_.release(), line.c_str()));
  }
  curl_slist* get() const { return list_.get(); }

 private:
  std::unique_ptr<curl_slist, FreeList> list_;
};

/// The fields of a request for libcurl, which adds some unasked: those are told not to be.
FieldList fields_of(const ClientRequest& request) {
  FieldList fields;
  for (const Header& header : request.headers) {
    fields.add(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  for (const char* unasked : {"Accept", "Content-Type", "Expect", "User-Agent"}) {
    if (!request.headers.find(unasked)) fields.add(std::string(unasked) + ":");
  }
  return fields;
}

long version_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::automatic: return CURL_HTTP_VERSION_2TLS;
    case Protocol::http1: return CURL_HTTP_VERSION_1_1;
    case Protocol::http2_plaintext: return CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
  }
  return CURL_HTTP_VERSION_1_1;
}

/// Whether any of the request can have been seen.
bool was_connected(CURL* easy) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &microseconds);
  return microseconds > 0;
}

TransferFault fault_of(CURLcode code, CURL* easy) {
  if (code == CURLE_OK) return TransferFault::none;
  if (!was_connected(easy)) return TransferFault::unreachable;
  return code == CURLE_OPERATION_TIMEDOUT ? TransferFault::timed_out : TransferFault::broken;
}

}  // namespace

// Everything but the queue of commands belongs to the loop's thread.
class Client::Loop : public std::enable_shared_from_this<Loop> {
 public:
  class Exchange;
  using ExchangePtr = std::shared_ptr<Exchange>;
  enum class Command { begin, resume, cancel };

  explicit Loop(ClientOptions options);
  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void stop();
  /// Both give false when the loop has ended.
  bool post(Command command, ExchangePtr exchange);
  bool post_timer(SteadyTime time, std::function<void()> call);

 private:
  void run();
  void wait();
  void take_commands();
  void begin(const ExchangePtr& exchange);
  void check_later(Exchange& exchange);
  void expire();
  void call_due();
  void end_finished();
  void end(const ExchangePtr& exchange, TransferEnd how);
  void end_all();
  void act(curl_socket_t socket, int events);
  void watch_wakeups();

  static int on_socket(CURL*, curl_socket_t socket, int what, void* context, void*);
  static int on_timer(CURLM*, long milliseconds, void* context);

  const ClientOptions options_;
  const Descriptor epoll_;
  const Descriptor wakeup_;
  Multi multi_;
  std::optional<SteadyTime> timer_;  ///< When libcurl wants to be called.
  std::unordered_map<Exchange*, ExchangePtr> exchanges_;
  std::set<std::pair<SteadyTime, Exchange*>> idle_checks_;
  std::multimap<SteadyTime, std::function<void()>> calls_;

  std::mutex mutex_;  // guards what follows
  std::vector<std::pair<Command, ExchangePtr>> commands_;
  std::vector<std::pair<SteadyTime, std::function<void()>>> new_calls_;
  bool stopping_ = false;
  bool ended_ = false;

  std::thread thread_;
};

class Client::Loop::Exchange : public Client::Transfer,
                               public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(std::weak_ptr<Loop> loop, ClientRequest request, ClientHandlers handlers)
      : loop_(std::move(loop)), request_(std::move(request)), handlers_(std::move(handlers)) {}

  void resume() override {
    if (const auto loop = loop_.lock()) loop->post(Command::resume, shared_from_this());
  }

  void cancel() override {
    if (cancelled_.exchange(true)) return;
    if (const auto loop = loop_.lock()) loop->post(Command::cancel, shared_from_this());
  }

  bool cancelled() const { return cancelled_; }
  CURL* easy() const { return easy_.get(); }
  const ClientRequest& request() const { return request_; }

  SteadyTime idle_check;  ///< When the loop looks whether anything came; the loop's own.

  void prepare(const ClientOptions& options);

  void go_on() {
    paused_ = false;
    last_byte_ = now();
    curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
  }

  /// When the idle limit will have passed, if nothing comes meanwhile.
  SteadyTime idle_end() {
    curl_off_t sent = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_UPLOAD_T, &sent);
    if (paused_ || std::exchange(sent_, sent) != sent) last_byte_ = now();
    return last_byte_ + request_.idle_limit;
  }

  TransferEnd end_of(CURLcode code) const {
    if (cancelled_) return {TransferFault::cancelled, "given up"};
    if (code == CURLE_OK) return {};
    if (code == CURLE_SEND_FAIL_REWIND) {
      return {TransferFault::broken, "the connection ended before an answer came"};
    }
    const char* reason = reason_[0] != '\0' ? reason_.data() : curl_easy_strerror(code);
    return {fault_of(code, easy_.get()), reason};
  }

  /// Tells the end, and lets go of what the handlers hold.
  void finish(TransferEnd how) {
    easy_.reset();
    const ClientHandlers handlers = std::exchange(handlers_, {});
    if (handlers.on_end) handlers.on_end(std::move(how));
  }

 private:
  static std::size_t on_line(char* bytes, std::size_t, std::size_t size, void* context) {
    static_cast<Exchange*>(context)->take_line({bytes, size});
    return size;
  }

  /// The request's body, once: it cannot be rewound.
  static std::size_t give_body(char* to, std::size_t, std::size_t size, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    const std::string_view rest = std::string_view(exchange.request_.body).substr(exchange.given_);
    const std::size_t given = rest.copy(to, size);
    exchange.given_ += given;
    return given;
  }

  static std::size_t on_bytes(char* bytes, std::size_t, std::size_t size, void* context) {
    return static_cast<Exchange*>(context)->take_body({bytes, size});
  }

  void take_line(std::string_view line);
  std::size_t take_body(std::string_view bytes);

  const std::weak_ptr<Loop> loop_;
  const ClientRequest request_;
  ClientHandlers handlers_;
  std::atomic<bool> cancelled_ = false;

  // The loop's thread.
  Easy easy_{nullptr, curl_easy_cleanup};
  FieldList fields_;
  std::array<char, CURL_ERROR_SIZE> reason_{};
  ClientHead head_;
  bool head_told_ = false;
  bool paused_ = false;
  SteadyTime last_byte_;
  curl_off_t sent_ = 0;
  std::size_t given_ = 0;  ///< Of a body that is sent once.
};

void Client::Loop::Exchange::prepare(const ClientOptions& options) {
  easy_.reset(curl_easy_init());
  if (!easy_) throw std::bad_alloc();
  last_byte_ = now();
  fields_ = fields_of(request_);
  CURL* curl = easy_.get();
  curl_easy_setopt(curl, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, version_of(request_.protocol));
  curl_easy_setopt(curl, CURLOPT_PIPEWAIT, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, long{request_.connect_limit.count()});
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, long{request_.limit.count()});
  if (!request_.body.empty() || request_.method == "POST" || request_.method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body.size()));
    if (request_.repeatable) {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request_.body.data());
    } else {
      curl_easy_setopt(curl, CURLOPT_POST, 1L);
      curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
      curl_easy_setopt(curl, CURLOPT_READDATA, this);
      // Below the five seconds after which Python's servers close a connection that is not used.
      curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, 4L);
    }
  }
  if (request_.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields_.get());
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_line);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason_.data());
  curl_easy_setopt(curl, CURLOPT_PRIVATE, this);
  if (!options.authority_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, options.authority_file.c_str());
  }
  // No proxy can reach this machine's own loopback.
  if (!options.proxy.empty() || is_loopback(request_.url)) {
    curl_easy_setopt(curl, CURLOPT_PROXY, options.proxy.c_str());
  }
}

void Client::Loop::Exchange::take_line(std::string_view line) {
  last_byte_ = now();
  if (head_told_) return;  // a trailer
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    head_ = {};
    return;
  }
  if (!line.empty()) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    head_.headers.add(std::string(line.substr(0, colon)), std::string(value));
    return;
  }
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status < 200) return;  // "100 Continue": the answer's own head is still to come
  head_told_ = true;
  head_.status = static_cast<int>(status);
  if (handlers_.on_head && !cancelled_) handlers_.on_head(std::move(head_));
}

std::size_t Client::Loop::Exchange::take_body(std::string_view bytes) {
  last_byte_ = now();
  if (cancelled_) return 0;  // which ends the transfer
  if (bytes.empty() || !handlers_.on_body || handlers_.on_body(bytes)) return bytes.size();
  paused_ = true;
  return CURL_WRITEFUNC_PAUSE;
}

Client::Loop::Loop(ClientOptions options)
    : options_(std::move(options)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      multi_((begin_curl(), curl_multi_init()), curl_multi_cleanup) {
  if (epoll_.get() < 0 || wakeup_.get() < 0 || !multi_) {
    throw std::system_error(errno, std::generic_category(), "cannot start an HTTP client");
  }
  watch_wakeups();
  CURLM* multi = multi_.get();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                    static_cast<long>(options_.connections_max));
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.idle_connections));
}

void Client::Loop::watch_wakeups() {
  epoll_event event{.events = EPOLLIN, .data = {.fd = wakeup_.get()}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wakeup_.get(), &event);
}

void Client::Loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  eventfd_write(wakeup_.get(), 1);
  if (thread_.joinable()) thread_.join();
}

bool Client::Loop::post(Command command, ExchangePtr exchange) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return false;
    commands_.emplace_back(command, std::move(exchange));
    if (commands_.size() > 1) return true;  // the loop has been woken for the first
  }
  eventfd_write(wakeup_.get(), 1);
  return true;
}

bool Client::Loop::post_timer(SteadyTime time, std::function<void()> call) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return false;
    new_calls_.emplace_back(time, std::move(call));
  }
  eventfd_write(wakeup_.get(), 1);
  return true;
}

void Client::Loop::run() {
  while (true) {
    wait();
    take_commands();
    expire();
    call_due();
    end_finished();
    const std::lock_guard lock(mutex_);
    if (stopping_) break;
  }
  end_all();
}

void Client::Loop::wait() {
  std::optional<SteadyTime> until = timer_;
  if (!idle_checks_.empty()) {
    until = std::min(until.value_or(SteadyTime::max()), idle_checks_.begin()->first);
  }
  if (!calls_.empty()) until = std::min(until.value_or(SteadyTime::max()), calls_.begin()->first);
  int milliseconds = -1;
  if (until) {
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(*until - now());
    milliseconds = static_cast<int>(std::clamp<std::int64_t>(rest.count(), 0, 60'000));
  }
  std::array<epoll_event, 64> events;
  const int count = epoll_wait(epoll_.get(), events.data(), events.size(), milliseconds);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == wakeup_.get()) {
      eventfd_t ignored = 0;
      eventfd_read(wakeup_.get(), &ignored);
      continue;
    }
    int what = 0;
    if (event.events & EPOLLIN) what |= CURL_CSELECT_IN;
    if (event.events & EPOLLOUT) what |= CURL_CSELECT_OUT;
    if (event.events & (EPOLLERR | EPOLLHUP)) what |= CURL_CSELECT_IN | CURL_CSELECT_ERR;
    act(event.data.fd, what);
  }
  if (timer_ && *timer_ <= now()) {
    timer_.reset();
    act(CURL_SOCKET_TIMEOUT, 0);
  }
}

void Client::Loop::act(curl_socket_t socket, int events) {
  int running = 0;
  curl_multi_socket_action(multi_.get(), socket, events, &running);
}

void Client::Loop::take_commands() {
  std::vector<std::pair<Command, ExchangePtr>> commands;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(commands_);
    for (auto& [time, call] : new_calls_) calls_.emplace(time, std::move(call));
    new_calls_.clear();
  }
  for (const auto& [command, exchange] : commands) {
    if (command == Command::begin) {
      begin(exchange);
    } else if (!exchanges_.contains(exchange.get())) {
      continue;  // it has ended
    } else if (command == Command::resume) {
      exchange->go_on();
    } else {
      end(exchange, exchange->end_of(CURLE_OK));
    }
  }
}

void Client::Loop::begin(const ExchangePtr& exchange) {
  if (exchange->cancelled()) return exchange->finish({TransferFault::cancelled, "given up"});
  exchange->prepare(options_);
  exchanges_.emplace(exchange.get(), exchange);
  if (exchange->request().idle_limit.count() > 0) check_later(*exchange);
  curl_multi_add_handle(multi_.get(), exchange->easy());
}

void Client::Loop::check_later(Exchange& exchange) {
  // Not later than a quarter of the limit: what is sent meanwhile is seen only when it is looked
  // at.
  exchange.idle_check = std::min(exchange.idle_end(), now() + exchange.request().idle_limit / 4);
  idle_checks_.emplace(exchange.idle_check, &exchange);
}

// A transfer whose bytes come in time is looked at a few times in a limit, not at each of its
// bytes.
void Client::Loop::expire() {
  while (!idle_checks_.empty() && idle_checks_.begin()->first <= now()) {
    Exchange* exchange = idle_checks_.begin()->second;
    idle_checks_.erase(idle_checks_.begin());
    const auto found = exchanges_.find(exchange);
    if (found == exchanges_.end()) continue;
    if (exchange->idle_end() > now()) {
      check_later(*exchange);
      continue;
    }
    const ExchangePtr kept = found->second;
    end(kept, {was_connected(kept->easy()) ? TransferFault::timed_out : TransferFault::unreachable,
               "nothing came for " + std::to_string(kept->request().idle_limit.count()) + " ms"});
  }
}

void Client::Loop::call_due() {
  while (!calls_.empty() && calls_.begin()->first <= now()) {
    const std::function<void()> call = std::move(calls_.begin()->second);
    calls_.erase(calls_.begin());
    call();
  }
}

void Client::Loop::end_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Exchange* exchange = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
    const auto found = exchanges_.find(exchange);
    if (found == exchanges_.end()) continue;
    const ExchangePtr kept = found->second;
    end(kept, kept->end_of(message->data.result));
  }
}

void Client::Loop::end(const ExchangePtr& exchange, TransferEnd how) {
  curl_multi_remove_handle(multi_.get(), exchange->easy());
  exchanges_.erase(exchange.get());
  idle_checks_.erase({exchange->idle_check, exchange.get()});
  exchange->finish(std::move(how));
}

// Those who are called may ask for more, which ends at once as well.
void Client::Loop::end_all() {
  const TransferEnd gone{TransferFault::cancelled, "the client is gone"};
  for (bool more = true; more;) {
    while (!exchanges_.empty()) {
      const ExchangePtr exchange = exchanges_.begin()->second;
      end(exchange, gone);
    }
    std::vector<std::pair<Command, ExchangePtr>> commands;
    {
      const std::lock_guard lock(mutex_);
      commands.swap(commands_);
      for (auto& [time, call] : new_calls_) calls_.emplace(time, std::move(call));
      new_calls_.clear();
      more = !commands.empty() || !calls_.empty();
      ended_ = !more;
    }
    for (const auto& [command, exchange] : commands) {
      if (command == Command::begin) exchange->finish(gone);
    }
    for (const auto& [time, call] : std::exchange(calls_, {})) call();
  }
}

int Client::Loop::on_socket(CURL*, curl_socket_t socket, int what, void* context, void*) {
  const auto& loop = *static_cast<Loop*>(context);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(loop.epoll_.get(), EPOLL_CTL_DEL, socket, nullptr);
    return 0;
  }
  epoll_event event{.events = 0, .data = {.fd = socket}};
  if (what & CURL_POLL_IN) event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
  if (epoll_ctl(loop.epoll_.get(), EPOLL_CTL_MOD, socket, &event) != 0 && errno == ENOENT) {
    epoll_ctl(loop.epoll_.get(), EPOLL_CTL_ADD, socket, &event);
  }
  return 0;
}

int Client::Loop::on_timer(CURLM*, long milliseconds, void* context) {
  auto& loop = *static_cast<Loop*>(context);
  loop.timer_.reset();
  if (milliseconds >= 0) loop.timer_ = now() + std::chrono::milliseconds(milliseconds);
  return 0;
}

Client::Client(ClientOptions options) : loop_(std::make_shared<Loop>(std::move(options))) {
  loop_->start();
}

Client::~Client() { stop(); }

void Client::stop() { loop_->stop(); }

std::shared_ptr<Client::Transfer> Client::send(ClientRequest request, ClientHandlers handlers) {
  auto exchange = std::make_shared<Loop::Exchange>(loop_, std::move(request), std::move(handlers));
  if (!loop_->post(Loop::Command::begin, exchange)) {
    exchange->finish({TransferFault::cancelled, "the client is gone"});
  }
  return exchange;
}

void Client::call_later(std::chrono::milliseconds time, std::function<void()> call) {
  if (!loop_->post_timer(now() + time, call)) call();
}

}  // namespace craton::http
