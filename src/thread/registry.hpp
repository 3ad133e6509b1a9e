// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <brood/thread/thread_info.hpp>
#include "thread/thread_record.hpp"

namespace brood::detail {

// The threads that brood knows of in this process. Never destroyed, because
// daemons and late destructors ask it to the very end.
//
// A fork takes both locks first, so that the child finds them free and what they
// guard whole. A child that was cloned behind glibc's back is noticed at its
// first question; whoever clones so has one thread, and so no lock is held.
//
// Safety: everything from any thread. `births_` is taken before `lock_`.
class ThreadRegistry {
 public:
  using Hook = std::function<void(const ThreadInfo&, std::exception_ptr)>;

  static ThreadRegistry& instance();

  // This process. Drops first what is known of the one that forked it.
  int process();

  std::string next_name();
  std::string name_of(const ThreadRecord& record);
  void rename(ThreadRecord& record, std::string name);

  // Held from before the kernel makes a thread of ours until the thread has its
  // ids, so whoever holds it sees no thread of ours that it takes for another's.
  std::unique_lock<std::mutex> hold_births();
  void enter(const std::shared_ptr<ThreadRecord>& record);
  // The kernel's thread is gone, or never came.
  void drop(const ThreadRecord& record);

  // The calling thread is `record` from here to the end of its thread_locals.
  void settle_in(ThreadRecord& record);
  // Nobody is going to join it. False when it has ended and can be joined.
  bool leave_alone(ThreadRecord& record);
  // The calling thread's last word.
  void depart();
  bool is_caller(const ThreadRecord& record) const noexcept;

  // Remembers the ident of a thread of others, until its end. True.
  bool introduce_caller();
  ThreadInfo caller();
  ThreadInfo main();
  std::vector<ThreadInfo> all();
  // One that runs, or waits to be joined, is no daemon and not the caller; null
  // when there is none.
  std::shared_ptr<ThreadRecord> any_to_wait_for();

  void set_hook(Hook hook);
  // Null for the default one.
  std::shared_ptr<const Hook> hook();

 private:
  using Records = std::list<std::shared_ptr<ThreadRecord>>;
  using Idents = std::unordered_map<int, std::uintptr_t>;

  ThreadRegistry();
  static void before_fork();
  static void after_fork_in_parent();
  static void after_fork_in_child();

  void become_child(int process);
  void sweep();
  ThreadInfo info_of_main(const Records& ours, const Idents& introduced, int process);

  std::mutex births_;
  std::mutex lock_;
  std::atomic<int> process_;
  std::atomic<std::uint64_t> names_given_{0};

  // Guarded by lock_.
  Records records_;
  // How many of records_ have ended with nobody to join them.
  std::size_t left_behind_ = 0;
  // The idents of threads of others that have asked us something, main's
  // included, by native id.
  Idents introduced_;
  std::shared_ptr<const Hook> hook_;
};

}  // namespace brood::detail
