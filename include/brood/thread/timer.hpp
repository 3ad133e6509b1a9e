// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include <brood/base/export.hpp>
#include <brood/base/timeout.hpp>
#include <brood/thread/target.hpp>
#include <brood/thread/thread.hpp>

namespace brood {

namespace detail {
struct TimerFuse;
}

// A thread that lets an interval pass, then calls a function, once.
//
//     brood::Timer bell{2s, ring, "supper"};
//     bell.start();
//     bell.cancel();
//
// The interval begins with the start; a negative one is none. What the function
// throws goes to the excepthook. A Timer that is destroyed, or assigned to, is
// cancelled; a call under way is waited for.
//
// Safety: as Thread.
class BROOD_EXPORT Timer {
 public:
  template <typename Target, typename... Args>
    requires(!std::convertible_to<Target, Timeout>)
  Timer(Timeout interval, Target&& target, Args&&... args)
      : Timer(ThreadOptions{}, interval, std::forward<Target>(target),
              std::forward<Args>(args)...) {}

  // Under a name, or as a daemon: one that the end of the program doesn't wait for.
  template <typename Target, typename... Args>
  Timer(ThreadOptions options, Timeout interval, Target&& target, Args&&... args)
      : Timer(
            std::move(options), interval,
            Bound{detail::bind_target(std::forward<Target>(target), std::forward<Args>(args)...)}) {
  }

  Timer(Timer&& other) noexcept;
  Timer& operator=(Timer&& other) noexcept;
  ~Timer();

  // Throws: as Thread::start.
  void start();

  // Prevents the call, also when given before start(). True when it did; false
  // when the call has begun, which is not interrupted.
  bool cancel() noexcept;

  // Waits until the call has ended or was cancelled. False when the time passed
  // first.
  // Throws: as Thread::join.
  bool join(Timeout timeout = {});

  // From the start to the end of the call, or to the cancellation.
  bool is_alive() const noexcept;

 private:
  struct Bound {
    std::unique_ptr<detail::ThreadTarget> target;
  };
  Timer(ThreadOptions options, Timeout interval, Bound bound);

  std::shared_ptr<detail::TimerFuse> fuse_;
  Thread thread_;
};

}  // namespace brood
