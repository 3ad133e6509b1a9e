// SPDX-License-Identifier: MIT
#include <brood/thread/timer.hpp>

#include <utility>

#include "os/futex.hpp"

namespace brood {
namespace detail {

// armed --cancel--> cancelled, or armed --the interval has passed--> burnt, and
// which of the two comes first decides for ever.
struct TimerFuse {
  enum State : std::uint32_t { armed, cancelled, burnt };

  os::FutexWord state{armed};

  bool settle(std::uint32_t outcome) noexcept {
    std::uint32_t found = armed;
    return state.compare_exchange_strong(found, outcome);
  }
};

}  // namespace detail

namespace {

using detail::TimerFuse;

struct Wait {
  std::shared_ptr<TimerFuse> fuse;
  Timeout interval;
  std::unique_ptr<detail::ThreadTarget> target;

  void operator()() {
    const Deadline deadline{interval};
    while (fuse->state == TimerFuse::armed) {
      if (!os::futex_wait_private(fuse->state, TimerFuse::armed, deadline)) break;
    }
    if (fuse->settle(TimerFuse::burnt)) target->run();
  }
};

}  // namespace

Timer::Timer(ThreadOptions options, Timeout interval, Bound bound)
    : fuse_(std::make_shared<TimerFuse>()),
      thread_(std::move(options), Wait{fuse_, interval, std::move(bound.target)}) {}

Timer::Timer(Timer&& other) noexcept = default;

Timer& Timer::operator=(Timer&& other) noexcept {
  if (this != &other) {
    cancel();
    thread_ = std::move(other.thread_);
    fuse_ = std::move(other.fuse_);
  }
  return *this;
}

Timer::~Timer() { cancel(); }

void Timer::start() { thread_.start(); }

bool Timer::cancel() noexcept {
  if (!fuse_ || !fuse_->settle(TimerFuse::cancelled)) return false;
  os::futex_wake_private(fuse_->state, 1);
  return true;
}

bool Timer::join(Timeout timeout) { return thread_.join(timeout); }

bool Timer::is_alive() const noexcept { return thread_.is_alive(); }

}  // namespace brood
