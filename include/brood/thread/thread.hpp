// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <brood/base/export.hpp>
#include <brood/base/timeout.hpp>
#include <brood/thread/target.hpp>
#include <brood/thread/thread_info.hpp>

namespace brood {

struct ThreadOptions {
  // Empty: `Thread-N`.
  std::string name{};
  // The program does not wait for it: not at its own end, and not where the
  // Thread is destroyed. Such a thread may find the world half taken down.
  bool daemon = false;
};

namespace detail {
class ThreadRecord;
BROOD_EXPORT std::shared_ptr<ThreadRecord> make_thread_record(ThreadOptions options,
                                                              std::unique_ptr<ThreadTarget> target);
}  // namespace detail

// A function that runs beside its caller, in the caller's address space.
//
//     brood::Thread cook{{.name = "cook"}, boil, 3, "eggs"};
//     cook.start();
//     cook.join();
//
// Arguments are copied when the Thread is made, as std::thread copies them, and
// destroyed in the thread when the target has ended. What leaves the target as
// an exception goes to the excepthook; the program goes on.
//
// A Thread that is destroyed, or assigned to, while it runs is joined; a daemon
// is left alone. When `main` returns, or the main thread calls exit, the program
// waits for every thread that runs and is no daemon, whoever owns it.
//
// A stack that overflows takes the program down, as in any C++ thread.
//
// Safety: one Thread may be asked, joined and renamed from many threads at once;
// moving and destroying it are for one thread alone. In a child made by fork
// every thread but the forking one counts as dead.
class BROOD_EXPORT Thread {
 public:
  template <typename Target, typename... Args>
    requires(!std::same_as<std::remove_cvref_t<Target>, Thread> &&
             !std::same_as<std::remove_cvref_t<Target>, ThreadOptions>)
  explicit Thread(Target&& target, Args&&... args)
      : Thread(ThreadOptions{}, std::forward<Target>(target), std::forward<Args>(args)...) {}

  template <typename Target, typename... Args>
  Thread(ThreadOptions options, Target&& target, Args&&... args)
      : record_(detail::make_thread_record(
            std::move(options),
            detail::bind_target(std::forward<Target>(target), std::forward<Args>(args)...))) {}

  // One that was moved from has no thread: it can be destroyed and assigned to,
  // has ids of 0, and refuses to start or to be joined.
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;
  ~Thread();

  // Returns when the thread has its ids and is in enumerate(). One start only,
  // also after the end.
  // Throws: ValueError; SystemError where the kernel grants no thread, and then
  // the Thread is as it was before.
  void start();

  // Waits for the end, destructors of thread_local objects included. Any number
  // of times, from any threads. False when the time passed first.
  // Throws: ValueError before the start, and in the thread itself.
  // Blocks: until the end or the timeout.
  bool join(Timeout timeout = {});

  // From the start to the end of the target and of its thread_local objects.
  bool is_alive() const noexcept;

  // Read from the kernel at each call.
  ThreadState state() const;

  std::string name() const;
  // At any time; the kernel's name of a running one follows, cut at 15 bytes.
  void set_name(std::string name);

  bool daemon() const noexcept;
  // The kernel's number, kept after the end. 0 before the start.
  int native_id() const noexcept;
  // What pthread_self() returns in it, kept after the end. 0 before the start.
  std::uintptr_t ident() const noexcept;

 private:
  void give_up() noexcept;

  std::shared_ptr<detail::ThreadRecord> record_;
};

// <Thread(t2, initial)>, <Thread(t2, started daemon 140735)>, <Thread(t2, stopped 140735)>
BROOD_EXPORT std::ostream& operator<<(std::ostream& out, const Thread& thread);

}  // namespace brood
