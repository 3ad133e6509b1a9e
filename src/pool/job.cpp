// SPDX-License-Identifier: MIT
#include <brood/pool/job.hpp>

#include <array>
#include <iterator>
#include <limits>
#include <mutex>
#include <ostream>
#include <unordered_map>

#include <brood/pool/core.hpp>
#include <brood/wire/exception_record.hpp>

#include "os/futex.hpp"

namespace brood {

std::ostream& operator<<(std::ostream& out, JobId id) { return out << "job " << id.number; }

std::ostream& operator<<(std::ostream& out, JobState state) {
  constexpr std::array names{"unknown", "queued", "running", "done", "failed", "cancelled"};
  return out << names[static_cast<std::size_t>(state)];
}

namespace detail {
namespace {

constexpr int all_sleepers = std::numeric_limits<int>::max();

// Few jobs are observed, so who observes them is noted outside of them; jobs
// share some locks.
struct Observed {
  std::mutex lock;
  std::unordered_multimap<const Job*, Observer*> observers;  // guarded by lock
};

Observed& notes_of(const Job& job) {
  static std::array<Observed, 16> all;
  return all[(reinterpret_cast<std::uintptr_t>(&job) >> 6) % all.size()];
}

}  // namespace

std::exception_ptr Failure::open() const {
  if (error) return error;
  return wire::decode_exception({record.get(), record_size}, worker_pid);
}

Job::Job(Core& core) noexcept : core_(&core) { core.retain(); }

Job::~Job() { core_->release(); }

void Job::release() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void Job::hold(wire::Kept kept) {
  if (kept.empty()) return;
  auto& all = extras().kept;
  all.insert(all.end(), std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
}

JobExtras& Job::extras() {
  if (!extras_) extras_ = std::make_unique<JobExtras>();
  return *extras_;
}

bool Job::wait(const Deadline& deadline) { return ready() || core_->wait(*this, deadline); }

bool Job::cancel(Timeout grace) { return !ready() && core_->cancel(*this, grace); }

bool Job::begin_settling() noexcept {
  std::uint32_t word = word_.load(std::memory_order_relaxed);
  while (outcome_of(word) == Outcome::pending) {
    const auto settling = (word & ~outcome_mask) | static_cast<std::uint32_t>(Outcome::settling);
    if (word_.compare_exchange_weak(word, settling, std::memory_order_acquire)) return true;
  }
  return false;
}

bool Job::publish(Outcome outcome) noexcept {
  std::uint32_t word = word_.load(std::memory_order_relaxed);
  // Publishes the answer; pairs with the acquire in outcome().
  while (!word_.compare_exchange_weak(word,
                                      (word & ~outcome_mask) | static_cast<std::uint32_t>(outcome),
                                      std::memory_order_acq_rel)) {
  }
  return (word & (waiter_bit | observed_bit)) != 0;
}

void Job::announce() noexcept {
  nudge();
  if ((word_.load(std::memory_order_acquire) & observed_bit) == 0) return;
  // The lock is held while they are told, so that unwatch() may promise that
  // nobody is told after it.
  Observed& notes = notes_of(*this);
  const std::lock_guard lock(notes.lock);
  const auto [first, last] = notes.observers.equal_range(this);
  for (auto at = first; at != last; ++at) at->second->settled(*this);
  notes.observers.erase(first, last);
}

void Job::nudge() noexcept { os::futex_wake_private(word_, all_sleepers); }

std::optional<std::uint32_t> Job::mark_waiter() noexcept {
  std::uint32_t word = word_.load(std::memory_order_acquire);
  while (outcome_of(word) <= Outcome::settling) {
    if ((word & waiter_bit) != 0) return word;
    if (word_.compare_exchange_weak(word, word | waiter_bit)) return word | waiter_bit;
  }
  return std::nullopt;
}

void Job::open() {
  std::uint32_t word = word_.load(std::memory_order_acquire);
  for (;;) {
    if ((word & opened_bit) != 0) return;
    if ((word & opening_bit) != 0) {
      // Another thread decodes it now.
      if ((word & waiter_bit) == 0 && !word_.compare_exchange_weak(word, word | waiter_bit)) {
        continue;
      }
      os::futex_wait_private(word_, word | waiter_bit, Deadline());
      word = word_.load(std::memory_order_acquire);
      continue;
    }
    if (word_.compare_exchange_weak(word, word | opening_bit)) break;
  }
  auto outcome = outcome_of(word);
  // What the engine said itself (cancelled, a broken pool) needs no decoding.
  if (!error_) {
    try {
      decode();
    } catch (...) {
      error_ = std::current_exception();
    }
  }
  if (error_ && outcome == Outcome::done) outcome = Outcome::failed;
  word = word_.load(std::memory_order_relaxed);
  std::uint32_t opened = 0;
  do {
    opened =
        ((word & ~(outcome_mask | opening_bit)) | opened_bit) | static_cast<std::uint32_t>(outcome);
  } while (!word_.compare_exchange_weak(word, opened, std::memory_order_acq_rel));
  if ((word & waiter_bit) != 0) nudge();
}

bool Job::watch(Observer& observer) {
  // The observer may be told, and drop the last handle, before this returns.
  const auto self = JobRef<Job>::share(this);
  {
    Observed& notes = notes_of(*this);
    const std::lock_guard lock(notes.lock);
    std::uint32_t word = word_.load(std::memory_order_acquire);
    do {
      if (outcome_of(word) > Outcome::settling) return false;
    } while (!word_.compare_exchange_weak(word, word | observed_bit));
    // announce() looks at the list under the lock, after it has seen the bit.
    notes.observers.emplace(this, &observer);
  }
  core_->listen(*this);
  return true;
}

void Job::unwatch(Observer& observer) noexcept {
  Observed& notes = notes_of(*this);
  const std::lock_guard lock(notes.lock);
  const auto [first, last] = notes.observers.equal_range(this);
  for (auto at = first; at != last;) {
    at = at->second == &observer ? notes.observers.erase(at) : std::next(at);
  }
}

}  // namespace detail
}  // namespace brood
