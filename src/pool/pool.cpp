// SPDX-License-Identifier: MIT
#include <brood/pool/pool.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <brood/base/cpu_count.hpp>
#include <brood/base/error.hpp>

#include "pool/memory_watch.hpp"
#include "pool/pool_size.hpp"
#include "pool/priority.hpp"
#include "pool/process_engine.hpp"
#include "pool/progress_bar.hpp"
#include "pool/thread_engine.hpp"
#include "process/home.hpp"

namespace brood {
namespace detail {
namespace {

constexpr const char* processes_variable = "BROOD_PROCESSES";

// 0 where no task runs. See PoolSize.
std::atomic<std::size_t> share_of_process{0};
thread_local std::size_t share_of_thread = 0;
thread_local const Core* core_of_thread = nullptr;

// Nothing where the processors say how many.
// Throws: ValueError for a BROOD_PROCESSES that is none.
std::optional<std::size_t> stated_pool_size() {
  if (share_of_thread != 0) return share_of_thread;
  if (const std::size_t share = share_of_process.load(std::memory_order_relaxed)) return share;
  const char* const text = std::getenv(processes_variable);  // NOLINT(concurrency-mt-unsafe)
  if (!text || *text == '\0') return std::nullopt;
  std::size_t number = 0;
  const char* const end = text + std::strlen(text);
  const auto parsed = std::from_chars(text, end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end || number == 0) {
    throw ValueError("cannot use the environment variable BROOD_PROCESSES='" + std::string(text) +
                     "': it must be a number of workers, 1 or more");
  }
  return number;
}

}  // namespace

Core::Core() noexcept : generation_(process::fork_generation()) {}
Core::~Core() = default;

// A copy of another process's engine is left as it is: to destroy it would unmap
// what is not mapped here and wait for threads that do not exist. It stays within
// reach of leak checkers.
void Core::release() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (is_own()) {
    delete this;
    return;
  }
  static auto* const foreign = new std::vector<Core*>;
  foreign->push_back(this);
}

const Core* Core::of_this_thread() noexcept { return core_of_thread; }
void Core::have_thread(const Core* core) noexcept { core_of_thread = core; }

bool Core::is_own() const noexcept { return generation_ == process::fork_generation(); }
void Core::require_own() const {
  if (!is_own()) [[unlikely]] {
    process::require_own(generation_, "pool");
  }
}

void Core::run(const JobRef<Job>& job) {
  submit(job);
  if (!job->ready()) wait(*job, Deadline());
}

void Core::close_to_callers() {
  require_own();
  closing_.store(true, std::memory_order_relaxed);
  const std::lock_guard lock(feeds_mutex_);
  if (feeds_ == 0) close();
}

void Core::open_feed() {
  require_own();
  const std::lock_guard lock(feeds_mutex_);
  if (is_closed_to_callers()) throw_closed();
  ++feeds_;
}

void Core::close_feed() noexcept {
  if (!is_own()) return;
  const std::lock_guard lock(feeds_mutex_);
  if (--feeds_ == 0 && is_closed_to_callers()) close();
}

void Core::end_feeds() {
  if (is_closed_to_callers()) close();
}

Core* Core::make(const PoolOptions& options) {
  require_sensible(options);
  switch (options.context) {
    case Context::thread: return make_thread_engine(options);
    case Context::forkserver:
    case Context::fork:
    case Context::spawn: return make_process_engine(options);
    case Context::mpi: break;
  }
  throw ContextError(
      "cannot make a pool of Context::mpi: this build of brood has no MPI engine; use "
      "Context::forkserver");
}

std::size_t require_positive(Count count, const char* field) {
  if (count.number() >= 1) return static_cast<std::size_t>(count.number());
  throw ValueError(std::string("cannot use ") + field + " = " + std::to_string(count.number()) +
                   ": it must be 1 or more; leave it out for the default");
}

PoolSize pool_size(const PoolOptions& options) {
  PoolSize size{.cpus = cpu_count()};
  std::size_t usual = size.cpus;
  try {
    usual = stated_pool_size().value_or(size.cpus);
  } catch (const ValueError&) {
    if (!options.processes.given()) throw;
  }
  size.workers =
      options.processes.given() ? require_positive(options.processes, "processes") : usual;
  size.share_of_a_task = std::max<std::size_t>(usual / size.workers, 1);
  return size;
}

void have_share_of_process(std::size_t share) noexcept {
  share_of_process.store(share, std::memory_order_relaxed);
}
void have_share_of_thread(std::size_t share) noexcept { share_of_thread = share; }

void require_sensible(const PoolOptions& options) {
  if (options.processes.given()) {
    require_positive(options.processes, "processes");
  } else {
    stated_pool_size();
  }
  if (options.maxtasksperchild.given()) {
    require_positive(options.maxtasksperchild, "maxtasksperchild");
  }
  if (options.memory_limit.given()) require_livable(options.memory_limit);
  require_sensible_priority(options);
  if (options.context == Context::thread) {
    if (options.maxtasksperchild.given()) {
      throw ValueError(
          "cannot use maxtasksperchild in Context::thread: a thread that is replaced frees "
          "nothing; "
          "use a context of processes");
    }
    if (options.memory_limit.given()) {
      throw ValueError(
          "cannot use memory_limit in Context::thread: threads share one memory; use a context of "
          "processes");
    }
    return;
  }
  if (options.initializer.is_local() || options.preload.is_local()) {
    throw ShipError(
        "cannot ship brood::local(f) to a worker process: it works in Context::thread only; use "
        "brood::task(f, values...)");
  }
}

std::size_t require_chunk_size(Count chunk_size) {
  return chunk_size.given() ? require_positive(chunk_size, "chunksize") : 0;
}

std::int64_t require_retries(Count retries) {
  if (!retries.given() || retries.number() >= 0) return retries.number();
  throw ValueError("cannot use retries = " + std::to_string(retries.number()) +
                   ": it must be 0 or more");
}

void throw_closed() {
  throw ValueError("cannot submit a task: the pool is closed; submit before close()");
}

void throw_moved_pool() {
  throw ValueError("cannot use this pool: it was moved from; use the one that it was moved to");
}

void throw_collect_in_map() {
  throw ValueError(
      "cannot collect errors here: the values leave no place for them; call map_outcomes");
}

void throw_callback_of_outcomes() {
  throw ValueError(
      "cannot call back from map_outcomes: it returns when all is done; read what it returns, or "
      "use map_async");
}

void throw_callback_of_imap() {
  throw ValueError(
      "cannot call back from imap: its results are read one by one; use map_async, or "
      "apply_async for each item");
}

void wait_to_the_end(MapJob& job, bool draws_progress) {
  try {
    if (!draws_progress || !ProgressBar::is_wanted()) {
      job.wait(Deadline());
      return;
    }
    ProgressBar bar(job.item_count());
    while (!job.wait(Deadline(ProgressBar::interval))) bar.show(job.core().settled_items(job));
    bar.finish(job.item_count());
  } catch (...) {
    job.cancel(default_grace);
    throw;
  }
}

}  // namespace detail

Pool::Pool() : Pool(PoolOptions{}) {}
Pool::Pool(Count processes) : Pool(PoolOptions{.processes = processes}) {}
Pool::Pool(const PoolOptions& options) : ImapFace(detail::Core::make(options)) {}

Pool& Pool::operator=(Pool&& other) noexcept {
  Pool taken(std::move(other));
  swap(taken);
  return *this;
}

Pool::~Pool() { terminate(); }

JobState Pool::poll(JobId id) { return core().poll(id); }
void Pool::close() { core().close_to_callers(); }
bool Pool::join(Timeout timeout) {
  core().end_feeds();
  return core().join(Deadline(timeout));
}
void Pool::terminate() noexcept {
  auto* const engine = core_or_null();
  if (!engine) return;
  engine->refuse_callers();
  engine->terminate();
}
void Pool::resize(Count processes) {
  core().resize(detail::require_positive(processes, "processes"));
}
PoolStats Pool::stats() { return core().stats(); }

}  // namespace brood
