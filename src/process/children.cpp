// SPDX-License-Identifier: MIT
#include "process/children.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include <brood/process/process_info.hpp>

#include "os/thread_list.hpp"
#include "process/identity.hpp"
#include "process/process_record.hpp"

namespace brood {
namespace detail {
namespace {

void end_at_exit() { Children::instance().end(); }

// A child's name begins with this process's, where that is itself a numbered one.
std::string prefix() {
  const std::string& own = process::identity().name;
  return own.starts_with("Process-") ? own + ':' : "Process-";
}

}  // namespace

// Replaced, never destroyed, in a child: its lock may be held there for ever.
Children& Children::instance() {
  static std::atomic<Children*> current{nullptr};
  const int self = os::current_process_id();
  Children* known = current.load(std::memory_order_acquire);
  while (!known || known->owner_ != self) {
    auto* const fresh = new Children(self);
    if (current.compare_exchange_strong(known, fresh)) return *fresh;
    delete fresh;
  }
  return *known;
}

std::string Children::next_name() {
  const std::lock_guard lock(mutex_);
  return prefix() + std::to_string(++made_);
}

void Children::add(std::shared_ptr<ProcessRecord> child) {
  const std::lock_guard lock(mutex_);
  children_.push_back(std::move(child));
  // Exit handlers run last come, first served: a child's own comes before the one
  // that ends it quickly.
  if (!std::exchange(ends_at_exit_, true)) std::atexit(end_at_exit);
}

void Children::remove(const ProcessRecord& child) {
  std::shared_ptr<ProcessRecord> last;  // let go outside the lock
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(children_.begin(), children_.end(),
                               [&](const auto& known) { return known.get() == &child; });
  if (at == children_.end()) return;
  last = std::move(*at);
  children_.erase(at);
}

std::vector<std::shared_ptr<ProcessRecord>> Children::all() {
  const std::lock_guard lock(mutex_);
  return children_;
}

void Children::end() {
  for (const auto& child : all()) {
    if (child->daemon()) child->kill_group();
  }
  for (auto left = all(); !left.empty(); left = all()) {
    for (const auto& child : left) child->join(Deadline());
  }
}

}  // namespace detail

std::vector<ProcessInfo> active_children() {
  std::vector<ProcessInfo> running;
  for (const auto& child : detail::Children::instance().all()) {
    if (child->is_alive()) running.push_back(child->info());
  }
  return running;
}

}  // namespace brood
