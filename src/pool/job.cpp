// SPDX-License-Identifier: MIT
#include <brood/pool/job.hpp>

#include <array>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <ostream>
#include <unordered_map>

#include <brood/pool/core.hpp>
#include <brood/wire/exception_record.hpp>

#include "os/futex.hpp"
#include "os/native_thread.hpp"
#include "pool/job_memory.hpp"
#include "pool/visit.hpp"

namespace brood {

std::ostream& operator<<(std::ostream& out, JobId id) { return out << "job " << id.number; }

std::ostream& operator<<(std::ostream& out, JobState state) {
  constexpr std::array names{"unknown", "queued", "running", "done", "failed", "cancelled"};
  return out << names[static_cast<std::size_t>(state)];
}

namespace detail {
namespace {

// Made before there are threads: a fork could come while one of them makes it.
const std::exception_ptr& no_error = *new std::exception_ptr;

constexpr int all_sleepers = std::numeric_limits<int>::max();

// Few jobs are observed, so who observes them is noted outside of them; jobs
// share some locks.
struct Observed {
  std::mutex lock;
  std::unordered_multimap<const Job*, Observer*> observers;  // guarded by lock
};
struct AllObserved {
  std::array<Observed, 16> shares;
  AllObserved* parents = nullptr;  // within reach of leak checkers
};

// Has no destructor: jobs may be dropped by those of static objects.
AllObserved*& all_observed() {
  static auto* all = new AllObserved;
  return all;
}

Observed& notes_of(const Job& job) {
  auto& all = all_observed()->shares;
  return all[(reinterpret_cast<std::uintptr_t>(&job) >> 6) % all.size()];
}

// Made before there are threads: a fork could come while one of them makes them. And what
// others do with them in that moment would never end in the child, which has no use for them.
[[maybe_unused]] const bool watches_forks = [] {
  all_observed();
  os::at_fork(nullptr, nullptr, [] { all_observed() = new AllObserved{{}, all_observed()}; });
  return true;
}();

}  // namespace

std::exception_ptr Failure::open() const {
  if (error) return error;
  return wire::decode_exception({record.get(), record_size}, worker_pid);
}

void Job::destroy_attached() noexcept {
  if (has_bare_error_) {
    std::destroy_at(&attached_.error);
  } else {
    delete attached_.extras;
  }
}

bool Job::keep_passing(std::size_t, std::span<const std::byte>) { return false; }

void* Job::operator new(std::size_t size) { return JobMemory::allocate(size); }

void* Job::operator new(std::size_t size, std::align_val_t alignment) {
  return ::operator new(size, alignment);
}

void Job::operator delete(void* job, std::size_t size) noexcept { JobMemory::free(job, size); }

void Job::operator delete(void* job, std::size_t size, std::align_val_t alignment) noexcept {
  ::operator delete(job, size, alignment);
}

void Job::hold(wire::Kept kept) {
  if (kept.empty()) return;
  auto& all = extras().kept;
  all.insert(all.end(), std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
}

JobExtras& Job::extras() {
  if (has_bare_error_) {
    auto made = std::make_unique<JobExtras>();
    made->error = std::move(attached_.error);
    std::destroy_at(&attached_.error);
    attached_.extras = made.release();
    has_bare_error_ = false;
  } else if (!attached_.extras) {
    attached_.extras = std::make_unique<JobExtras>().release();
  } else {
    return *attached_.extras;
  }
  // Publishes where they are; pairs with the acquire in has_extras().
  word_.fetch_or(extras_bit, std::memory_order_release);
  return *attached_.extras;
}

const std::exception_ptr& Job::error() const noexcept {
  if (has_bare_error_) return attached_.error;
  return attached_.extras ? attached_.extras->error : no_error;
}

void Job::set_error(std::exception_ptr error) noexcept {
  if (has_bare_error_) {
    attached_.error = std::move(error);
  } else if (attached_.extras) {
    attached_.extras->error = std::move(error);
  } else {
    std::construct_at(&attached_.error, std::move(error));
    has_bare_error_ = true;
  }
}

// A visitor enters only while the job is not ready, so that whoever settles it sees all that
// ever will: for those who are still there then it keeps the core, and the last one lets go.
bool Job::enter() noexcept {
  std::uint32_t word = word_.load(std::memory_order_acquire);
  do {
    if (outcome_of(word) > Outcome::settling) return false;
  } while (!word_.compare_exchange_weak(word, word + one_visitor, std::memory_order_acq_rel));
  return true;
}

void Job::leave() noexcept {
  const std::uint32_t left = word_.fetch_sub(one_visitor, std::memory_order_acq_rel) - one_visitor;
  if (left < one_visitor && (left & kept_bit) != 0) core_->release();
}

// Requires: it was settled just now, by one who holds the core.
void Job::keep_core() noexcept {
  core_->retain();
  // Nobody is left who would let it go.
  if (word_.fetch_or(kept_bit, std::memory_order_acq_rel) < one_visitor) core_->release();
}

bool Job::wait(const Deadline& deadline) {
  if (ready()) return true;
  // A pool's own thread holds it.
  if (Core::of_this_thread() == core_) return core_->wait(*this, deadline);
  const Visit visit(*this);
  return !visit || core_->wait(*this, deadline);
}

bool Job::cancel(Timeout grace) {
  const Visit visit(*this);
  return visit && core_->cancel(*this, grace);
}

bool Job::begin_settling() noexcept {
  std::uint32_t word = word_.load(std::memory_order_relaxed);
  while (outcome_of(word) == Outcome::pending) {
    const auto settling = (word & ~outcome_mask) | static_cast<std::uint32_t>(Outcome::settling);
    if (word_.compare_exchange_weak(word, settling, std::memory_order_acq_rel)) return true;
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
  return is_awaited(word);
}

void Job::announce() noexcept {
  wake_waiters();
  if ((word_.load(std::memory_order_acquire) & observed_bit) == 0) return;
  // The lock is held while they are told, so that unwatch() may promise that
  // nobody is told after it.
  Observed& notes = notes_of(*this);
  const std::lock_guard lock(notes.lock);
  const auto [first, last] = notes.observers.equal_range(this);
  for (auto at = first; at != last; ++at) at->second->settled(*this);
  notes.observers.erase(first, last);
}

void Job::wake_waiters() noexcept { os::futex_wake_private(word_, all_sleepers); }

void Job::look_again() noexcept {
  word_.fetch_xor(moved_bit, std::memory_order_acq_rel);
  wake_waiters();
}

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
    // Nobody else has a handle, so that nobody else opens it.
    if (has_one_reference()) break;
    if (word_.compare_exchange_weak(word, word | opening_bit)) break;
  }
  auto outcome = outcome_of(word);
  // What the engine said itself (cancelled, a broken pool) needs no decoding.
  if (!error()) {
    try {
      decode();
    } catch (...) {
      set_error(std::current_exception());
    }
  }
  if (error() && outcome == Outcome::done) outcome = Outcome::failed;
  const auto opened = [&] {
    return ((word & ~(outcome_mask | opening_bit)) | opened_bit) |
           static_cast<std::uint32_t>(outcome);
  };
  word = word_.load(std::memory_order_relaxed);
  if (has_one_reference()) {
    word_.store(opened(), std::memory_order_release);
    return;
  }
  while (!word_.compare_exchange_weak(word, opened(), std::memory_order_acq_rel)) {
  }
  if ((word & waiter_bit) != 0) wake_waiters();
}

bool Job::watch(Observer& observer) {
  // The observer may be told, and drop the last handle, before this returns.
  const auto self = JobRef<Job>::share(this);
  const Visit visit(*this);
  if (!visit) return false;
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
