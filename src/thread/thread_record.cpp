// SPDX-License-Identifier: MIT
#include "thread/thread_record.hpp"

#include <atomic>
#include <cstdlib>
#include <exception>
#include <limits>
#include <utility>

#include <brood/base/error.hpp>
#include "os/native_thread.hpp"
#include "os/syscall.hpp"
#include "os/thread_list.hpp"
#include "thread/excepthook.hpp"
#include "thread/registry.hpp"

namespace brood::detail {
namespace {

constexpr int everybody = std::numeric_limits<int>::max();

// At the end of the main thread: the program waits for what is no daemon. An
// exit that another thread calls is an order to end now, perhaps by a thread
// that others wait for.
void wait_for_the_rest() {
  auto& registry = ThreadRegistry::instance();
  if (os::current_thread_id() != registry.process()) return;
  while (const auto record = registry.any_to_wait_for()) record->join(Deadline{});
}

// Exit handlers run last come, first served, so this one, made by the first
// start, comes before the destructors of statics that are older than that. A
// child runs no handler that it has from its parent, and registers its own.
void wait_at_exit() {
  static std::atomic<int> registered_in{0};
  const int self = os::current_process_id();
  if (registered_in.exchange(self) != self) std::atexit(wait_for_the_rest);
}

}  // namespace

ThreadRecord::ThreadRecord(std::string name, bool daemon,
                           std::unique_ptr<ThreadTarget> target) noexcept
    : daemon_(daemon), target_(std::move(target)), name_(std::move(name)) {}

void ThreadRecord::start() {
  auto& registry = ThreadRegistry::instance();
  wait_at_exit();
  const auto births = registry.hold_births();
  if (phase_ != unstarted) {
    throw ValueError("cannot start thread '" + name() +
                     "': it was started before; a Thread runs once, make another one");
  }
  registry.enter(shared_from_this());
  phase_ = starting;
  if (const int refusal = os::start_thread(body, this); refusal != 0) {
    registry.drop(*this);
    phase_ = unstarted;
    throw SystemError(refusal, "cannot start thread '" + name() + "': " + os::reason(refusal) +
                                   "; the process may be at its limit of threads or of memory");
  }
  while (phase_ == starting) os::futex_wait_private(phase_, starting, Deadline{});
}

// Not noexcept: pthread_exit and pthread_cancel unwind to here and beyond.
void* ThreadRecord::body(void* record) {
  auto& self = *static_cast<ThreadRecord*>(record);
  ThreadRegistry::instance().settle_in(self);
  self.wake_joiners();
  self.run_target();
  return nullptr;
}

void ThreadRecord::run_target() {
  const std::exception_ptr error = error_of([this] {
    const std::unique_ptr<ThreadTarget> target = std::move(target_);
    target->run();
  });
  if (error) report_uncaught(error);
}

void ThreadRecord::wake_joiners() noexcept { os::futex_wake_private(phase_, everybody); }

bool ThreadRecord::join(const Deadline& deadline) {
  auto& registry = ThreadRegistry::instance();
  if (phase_ == unstarted || phase_ == starting) {
    throw ValueError("cannot join thread '" + name() + "': it is not started; call start() first");
  }
  if (process_ != registry.process()) return true;
  if (registry.is_caller(*this)) {
    throw ValueError("cannot join thread '" + name() +
                     "': it is the calling thread, which would wait for itself for ever");
  }
  while (phase_ == running) {
    if (!os::futex_wait_private(phase_, running, deadline) && phase_ == running) return false;
  }
  return collect(deadline);
}

bool ThreadRecord::collect(const Deadline& deadline) {
  for (;;) {
    std::uint32_t found = uncollected;
    if (collection_.compare_exchange_strong(found, collecting)) {
      give_back();
      return true;
    }
    if (found != collecting) return true;
    if (!os::futex_wait_private(collection_, collecting, deadline)) return false;
  }
}

void ThreadRecord::give_back() {
  try {
    // What is left of the thread is the kernel's, and short.
    os::join_thread(ident());
  } catch (...) {
    // This joiner was cancelled in there: the next one takes over.
    collection_ = uncollected;
    os::futex_wake_private(collection_, everybody);
    throw;
  }
  ThreadRegistry::instance().drop(*this);
  collection_ = collected;
  os::futex_wake_private(collection_, everybody);
}

void ThreadRecord::abandon() {
  auto& registry = ThreadRegistry::instance();
  if (phase_ == unstarted || process_ != registry.process()) return;
  // A Thread that its own thread destroys cannot be joined there.
  if ((daemon_ || registry.is_caller(*this)) && registry.leave_alone(*this)) return;
  join(Deadline{});
}

bool ThreadRecord::is_alive() const noexcept {
  return phase_ == running && process_ == ThreadRegistry::instance().process();
}

ThreadState ThreadRecord::state() const {
  if (phase_ == unstarted || phase_ == starting) return ThreadState::unstarted;
  if (!is_alive()) return ThreadState::dead;
  const ThreadState state = state_of(os::look_at_thread(native_id()));
  // The kernel may have given an ended thread's number to another one.
  return is_alive() ? state : ThreadState::dead;
}

ThreadInfo ThreadRecord::info() const {
  return {.name = name(),
          .ident = ident(),
          .native_id = native_id(),
          .daemon = daemon_,
          .state = state()};
}

std::string ThreadRecord::name() const { return ThreadRegistry::instance().name_of(*this); }

void ThreadRecord::set_name(std::string name) {
  ThreadRegistry::instance().rename(*this, std::move(name));
}

ThreadState state_of(const std::optional<os::ThreadSight>& sight) noexcept {
  if (!sight || sight->exiting) return ThreadState::dead;
  if (sight->on_cpu) return ThreadState::running;
  return sight->state == 'R' ? ThreadState::runnable : ThreadState::waiting;
}

}  // namespace brood::detail
