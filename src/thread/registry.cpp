// SPDX-License-Identifier: MIT
#include "thread/registry.hpp"

#include <optional>
#include <unordered_set>
#include <utility>

#include "os/native_thread.hpp"
#include "os/thread_end.hpp"
#include "os/thread_list.hpp"

namespace brood::detail {
namespace {

// Says farewell for its thread, after every thread_local that the target makes.
constinit thread_local os::ThreadEnd departure{
    [](os::ThreadEnd&) noexcept { ThreadRegistry::instance().depart(); }};

// Trivial, and so readable by destructors that run later still. The registry's
// share keeps the record: it is dropped when the kernel's thread is gone.
thread_local ThreadRecord* own_record = nullptr;
thread_local bool introduced = false;

// Before `main` begins, where main's ident is to be had; a library that is
// opened later, by another thread, learns it when main first asks something.
[[maybe_unused]] const bool main_is_known = ThreadRegistry::instance().introduce_caller();

ThreadInfo info_of_other(int native_id, std::uintptr_t ident,
                         const std::optional<os::ThreadSight>& sight) {
  return {.name = sight ? sight->name : std::string(),
          .ident = ident,
          .native_id = native_id,
          .daemon = true,
          .state = state_of(sight)};
}

}  // namespace

ThreadRegistry& ThreadRegistry::instance() {
  static auto* const registry = new ThreadRegistry;
  return *registry;
}

ThreadRegistry::ThreadRegistry() : process_(os::current_process_id()) {
  os::at_fork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void ThreadRegistry::before_fork() {
  instance().births_.lock();
  instance().lock_.lock();
}

void ThreadRegistry::after_fork_in_parent() {
  instance().lock_.unlock();
  instance().births_.unlock();
}

void ThreadRegistry::after_fork_in_child() {
  instance().become_child(os::current_process_id());
  after_fork_in_parent();
}

// Requires: lock_ is held.
void ThreadRegistry::become_child(int process) {
  records_.remove_if([](const auto& record) { return record.get() != own_record; });
  introduced_.clear();
  left_behind_ = 0;
  introduced_.emplace(os::current_thread_id(), os::current_thread_handle());
  introduced = true;
  if (own_record != nullptr) {
    own_record->process_ = process;
    own_record->native_id_ = os::current_thread_id();
  }
  process_ = process;
}

int ThreadRegistry::process() {
  const int process = os::current_process_id();
  if (process_ != process) {
    const std::lock_guard lock(lock_);
    if (process_ != process) become_child(process);
  }
  return process;
}

std::string ThreadRegistry::next_name() { return "Thread-" + std::to_string(++names_given_); }

std::string ThreadRegistry::name_of(const ThreadRecord& record) {
  const std::lock_guard lock(lock_);
  return record.name_;
}

void ThreadRegistry::rename(ThreadRecord& record, std::string name) {
  const int here = process();
  const std::lock_guard lock(lock_);
  record.name_ = std::move(name);
  // Under the lock a running thread stays, and keeps its number.
  if (record.phase_ == ThreadRecord::running && record.process_ == here) {
    os::name_thread(record.native_id(), record.name_);
  }
}

std::unique_lock<std::mutex> ThreadRegistry::hold_births() { return std::unique_lock(births_); }

void ThreadRegistry::enter(const std::shared_ptr<ThreadRecord>& record) {
  const int here = process();
  const std::lock_guard lock(lock_);
  sweep();
  record->place_ = records_.insert(records_.end(), record);
  record->process_ = here;
}

// Requires: lock_ is held.
void ThreadRegistry::sweep() {
  if (left_behind_ == 0) return;
  left_behind_ -= records_.remove_if([](const auto& record) {
    return record->phase_ == ThreadRecord::ended &&
           record->collection_ == ThreadRecord::left_alone &&
           !os::thread_exists(record->native_id());
  });
}

void ThreadRegistry::drop(const ThreadRecord& record) {
  const std::lock_guard lock(lock_);
  records_.erase(record.place_);
}

void ThreadRegistry::settle_in(ThreadRecord& record) {
  os::at_thread_end(departure);
  own_record = &record;
  record.ident_ = os::current_thread_handle();
  record.native_id_ = os::current_thread_id();
  const std::lock_guard lock(lock_);
  os::name_thread(record.native_id(), record.name_);
  record.phase_ = ThreadRecord::running;
}

bool ThreadRegistry::leave_alone(ThreadRecord& record) {
  const std::lock_guard lock(lock_);
  // The thread itself may come late: exit ends its thread_locals, then goes on.
  const bool ended = record.phase_ == ThreadRecord::ended;
  if (ended && !is_caller(record)) return false;
  std::uint32_t found = ThreadRecord::uncollected;
  if (record.collection_.compare_exchange_strong(found, ThreadRecord::left_alone)) {
    os::detach_thread(record.ident());
    if (ended) ++left_behind_;
  }
  return true;
}

void ThreadRegistry::depart() {
  if (own_record == nullptr) {
    const int native_id = os::current_thread_id();
    // Main stays known: destructors of statics may still ask.
    if (native_id == process()) return;
    const std::lock_guard lock(lock_);
    introduced_.erase(native_id);
    return;
  }
  {
    const std::lock_guard lock(lock_);
    own_record->phase_ = ThreadRecord::ended;
    if (own_record->collection_ == ThreadRecord::left_alone) ++left_behind_;
  }
  own_record->wake_joiners();
}

bool ThreadRegistry::is_caller(const ThreadRecord& record) const noexcept {
  return own_record == &record;
}

bool ThreadRegistry::introduce_caller() {
  if (introduced) return true;
  os::at_thread_end(departure);
  introduced = true;
  const std::lock_guard lock(lock_);
  introduced_[os::current_thread_id()] = os::current_thread_handle();
  return true;
}

ThreadInfo ThreadRegistry::caller() {
  const int here = process();
  if (own_record != nullptr) {
    ThreadInfo info = own_record->info();
    info.state = ThreadState::running;  // to its very end, in late destructors
    return info;
  }
  introduce_caller();
  const int native_id = os::current_thread_id();
  if (native_id == here) return main();
  return info_of_other(native_id, os::current_thread_handle(), os::look_at_thread(native_id));
}

ThreadInfo ThreadRegistry::main() {
  const int here = process();
  std::unique_lock lock(lock_);
  const Records ours = records_;
  const Idents idents = introduced_;
  lock.unlock();
  return info_of_main(ours, idents, here);
}

ThreadInfo ThreadRegistry::info_of_main(const Records& ours, const Idents& introduced_idents,
                                        int process) {
  const std::optional<os::ThreadSight> sight = os::look_at_thread(process);
  // In the child that a thread of ours forked, that thread is the main one.
  for (const auto& record : ours) {
    if (record->native_id() != process) continue;
    ThreadInfo info = record->info();
    info.state = state_of(sight);
    return info;
  }
  const auto known = introduced_idents.find(process);
  return {.name = std::string("MainThread"),
          .ident = known != introduced_idents.end() ? known->second
                                                    : static_cast<std::uintptr_t>(process),
          .native_id = process,
          .daemon = false,
          .state = state_of(sight)};
}

std::vector<ThreadInfo> ThreadRegistry::all() {
  const int here = process();
  const auto births = hold_births();
  std::unique_lock lock(lock_);
  const Records ours = records_;
  const Idents idents = introduced_;
  lock.unlock();

  std::vector<ThreadInfo> found;
  if (ThreadInfo first = info_of_main(ours, idents, here); first.state != ThreadState::dead) {
    found.push_back(std::move(first));
  }
  std::unordered_set<int> listed{here};
  for (const auto& record : ours) {
    // Also those that have ended for us and not yet for the kernel.
    listed.insert(record->native_id());
    if (record->native_id() == here) continue;
    ThreadInfo info = record->info();
    if (info.state != ThreadState::dead) found.push_back(std::move(info));
  }
  for (const int native_id : os::thread_ids()) {
    if (listed.contains(native_id)) continue;
    const auto sight = os::look_at_thread(native_id);
    // A thread that was joined stays in /proc until it has left the kernel.
    if (!sight || sight->exiting) continue;
    const auto known = idents.find(native_id);
    found.push_back(info_of_other(
        native_id, known != idents.end() ? known->second : static_cast<std::uintptr_t>(native_id),
        sight));
  }
  return found;
}

std::shared_ptr<ThreadRecord> ThreadRegistry::any_to_wait_for() {
  const auto births = hold_births();
  const std::lock_guard lock(lock_);
  for (const auto& record : records_) {
    const bool to_be_joined =
        record->phase_ == ThreadRecord::running || record->collection_ == ThreadRecord::uncollected;
    if (to_be_joined && !record->daemon() && !is_caller(*record)) return record;
  }
  return nullptr;
}

void ThreadRegistry::set_hook(Hook hook) {
  auto shared = hook ? std::make_shared<const Hook>(std::move(hook)) : nullptr;
  const std::lock_guard lock(lock_);
  // The old one is destroyed after the lock is free: it is the user's code.
  hook_.swap(shared);
}

std::shared_ptr<const ThreadRegistry::Hook> ThreadRegistry::hook() {
  const std::lock_guard lock(lock_);
  return hook_;
}

}  // namespace brood::detail
