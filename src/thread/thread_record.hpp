// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include <brood/base/timeout.hpp>
#include <brood/thread/target.hpp>
#include <brood/thread/thread.hpp>
#include <brood/thread/thread_info.hpp>
#include "os/futex.hpp"
#include "os/thread_list.hpp"

namespace brood::detail {

// One thread's life. Its phase moves only so:
//
//     unstarted --start--> starting --the thread has its ids--> running
//     starting  --the kernel grants no thread--> unstarted
//     running   --its last thread_local is destroyed--> ended
//
// and, from `running` on, it is settled only so who gives the ended thread back
// to the kernel:
//
//     uncollected --a joiner finds it ended--> collecting --> collected
//     collecting  --the joiner is itself cancelled--> uncollected
//     uncollected --its Thread, a daemon's, is destroyed--> left_alone
//
// Owned by its Thread, if there still is one, and from `starting` on by the
// registry, until the kernel's thread is gone. So the thread itself needs no
// share, and whoever sleeps on the words below sleeps on live memory.
//
// No condition variable: after a fork the child's would wait for sleepers that
// only the parent has. And all atomics in the default order: starting and ending
// a thread costs a thousand times more.
class ThreadRecord : public std::enable_shared_from_this<ThreadRecord> {
 public:
  ThreadRecord(std::string name, bool daemon, std::unique_ptr<ThreadTarget> target) noexcept;

  void start();
  bool join(const Deadline& deadline);
  // The Thread is destroyed: joins, or leaves a daemon alone.
  void abandon();

  bool is_alive() const noexcept;
  ThreadState state() const;
  ThreadInfo info() const;
  std::string name() const;
  void set_name(std::string name);
  bool daemon() const noexcept { return daemon_; }
  int native_id() const noexcept { return native_id_; }
  std::uintptr_t ident() const noexcept { return ident_; }

 private:
  friend class ThreadRegistry;

  enum Phase : std::uint32_t { unstarted, starting, running, ended };
  enum Collection : std::uint32_t { uncollected, collecting, collected, left_alone };

  static void* body(void* record);
  void run_target();
  bool collect(const Deadline& deadline);
  void give_back();
  void wake_joiners() noexcept;

  // `starting` and back by the starter, `running` and `ended` by the thread
  // itself, under the registry's lock. Starter and joiners sleep on it.
  os::FutexWord phase_{unstarted};
  // By joiners; `left_alone` under the registry's lock. Joiners sleep on it.
  os::FutexWord collection_{uncollected};
  // The process that the thread is in; in any other one it counts as ended.
  std::atomic<int> process_{0};
  // By the thread itself, before `running`.
  std::atomic<int> native_id_{0};
  std::atomic<std::uintptr_t> ident_{0};
  const bool daemon_;

  // The starter's until the thread runs, then the thread's.
  std::unique_ptr<ThreadTarget> target_;

  // Guarded by the registry's lock.
  std::string name_;
  std::list<std::shared_ptr<ThreadRecord>>::iterator place_;
};

// Dead where there is no such thread.
ThreadState state_of(const std::optional<os::ThreadSight>& sight) noexcept;

}  // namespace brood::detail
