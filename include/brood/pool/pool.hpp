// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>
#include <utility>

#include <brood/base/count.hpp>
#include <brood/base/export.hpp>
#include <brood/base/timeout.hpp>
#include <brood/pool/imap_face.hpp>
#include <brood/pool/options.hpp>

namespace brood {

// A brood of workers that run ordinary functions: by default processes, each
// with an address space of its own, so that a crash, a leak or a hang costs one
// task and never the program.
//
//     brood::Pool pool{4};
//     std::vector<int> squares = pool.map([](int x) { return x * x; }, {0, 1, 2, 3});
//
// Leaving the scope terminates the pool: results that are not there yet then
// throw CancelledError. To finish everything first: close(), then join().
//
// What a task is given travels as values: arguments are encoded before the call
// returns, and the function gets them as rvalues. What a worker changes in memory
// stays there. A map's functions come first, then the items.
//
// Safety: any number of threads at once. Movable. In a child that the user forked
// the pool is its parent's: calls throw ContextError, the destructor does nothing.
class BROOD_EXPORT Pool : public detail::ImapFace {
 public:
  // Throws: ValueError for sizes that make no sense; ContextError when this
  // program can't have such workers (see brood::init); SystemError when the
  // kernel refuses them. Blocks: for the births, some 0.3 ms each, and for the
  // preload.
  Pool();
  explicit Pool(Count processes);
  explicit Pool(const PoolOptions& options);
  Pool(Pool&& other) noexcept = default;
  Pool& operator=(Pool&& other) noexcept;
  ~Pool();

  // Runs f(args...) in a worker and returns what it returns, or throws what it
  // throws. Blocks: until then.
  template <typename F, typename... Args>
    requires(!detail::is_options<F>)
  auto apply(F&& f, Args&&... args) {
    return run_call(detail::NoOptions(), std::forward<F>(f), std::forward<Args>(args)...);
  }
  template <typename F, typename... Args>
  auto apply(const detail::ApplyOptionsFor<F, Args...>& options, F&& f, Args&&... args) {
    return run_call(options, std::forward<F>(f), std::forward<Args>(args)...);
  }

  // The same without waiting.
  template <typename F, typename... Args>
    requires(!detail::is_options<F>)
  auto apply_async(F&& f, Args&&... args) {
    return start_call(&detail::Core::submit, detail::NoOptions(), std::forward<F>(f),
                      std::forward<Args>(args)...);
  }
  template <typename F, typename... Args>
  auto apply_async(const detail::ApplyOptionsFor<F, Args...>& options, F&& f, Args&&... args) {
    return start_call(&detail::Core::submit, options, std::forward<F>(f),
                      std::forward<Args>(args)...);
  }

  // What became of a task of this pool: good for the latest million ids.
  JobState poll(JobId id);

  // No more tasks; those submitted are done. Idempotent.
  void close();
  // Waits until all tasks are done, their callbacks have run and the workers are
  // gone. False when the timeout passed first. Throws: ValueError before close.
  bool join(Timeout timeout = {});
  // Cancels what is not done and ends the workers, whatever they do. Bounded; from
  // any thread, or a callback. Idempotent.
  void terminate() noexcept;

  // Has that many workers from now on: more are born, those too many leave when
  // they have done what they have.
  void resize(Count processes);
  PoolStats stats();
};

}  // namespace brood
