// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <utility>

#include <brood/base/export.hpp>
#include <brood/base/timeout.hpp>
#include <brood/pool/counted.hpp>
#include <brood/pool/job_id.hpp>
#include <brood/pool/job_parts.hpp>
#include <brood/pool/job_ref.hpp>

// A job is one submitted call, or one submitted map of many items: its request,
// its place in the pool, and its outcome. Handles (AsyncResult) share it.
//
//   pending --begin_settling--> settling --publish--> done | failed | cancelled
//                                                     --open--> the same, opened
//
// Invariant: begin_settling succeeds once, so an outcome is written by one thread, and
// after publish it never changes again. What a worker answered is kept as bytes until
// somebody opens the job, as far as user code (a deserializer) makes a value of it.

namespace brood::detail {

class Core;
class MapJob;

// Small, since a program may have millions in line: 59 bytes, and what derives from
// it begins in the five that are left of its last word.
class BROOD_EXPORT Job : public Counted {
 public:
  enum class Shape : std::uint8_t { call, map };
  enum class Outcome : std::uint32_t { pending, settling, done, failed, cancelled };

  // Jobs are many and short-lived: they have memory of their own. As safe as the global ones.
  static void* operator new(std::size_t size);
  static void* operator new(std::size_t size, std::align_val_t alignment);
  static void operator delete(void* job, std::size_t size) noexcept;
  static void operator delete(void* job, std::size_t size, std::align_val_t alignment) noexcept;

  // As known without opening: a value that can't be decoded still says done.
  Outcome outcome() const noexcept { return outcome_of(word_.load(std::memory_order_acquire)); }
  bool ready() const noexcept { return outcome() > Outcome::settling; }
  JobId id() const noexcept { return id_; }

  // Somebody who needs the job's pool: it stays while the visit lasts, though the Pool
  // ends. Only a job that is not ready can be visited; a ready one outlives its pool.
  class Visit;
  // The same without a visit. Requires: that its pool lives.
  Core& core() const noexcept { return *core_; }

  // Blocks: until the job is ready or the deadline has passed. Completes other
  // jobs of the pool meanwhile. True when ready.
  bool wait(const Deadline& deadline);

  // Decodes what came back, once; others that ask meanwhile wait for it.
  // Requires: ready(). Afterwards outcome() and error() are final.
  void open();
  // Whether it's opened and has a value.
  bool has_value() const noexcept {
    constexpr auto opened = opened_bit | static_cast<std::uint32_t>(Outcome::done);
    return (word_.load(std::memory_order_acquire) & (opened_bit | outcome_mask)) == opened;
  }
  // The error of a failed or cancelled job. Requires: opened.
  const std::exception_ptr& error() const noexcept;

  // Withdraws a queued job, or asks a running one to stop and kills its worker
  // after the grace. False when it was ready already. Never blocks.
  bool cancel(Timeout grace);

  // False when the job is ready already; the observer is not told then.
  bool watch(Observer& observer);
  // After this returns the observer is not called any more.
  void unwatch(Observer& observer) noexcept;

  JobExtras& extras();
  // Keeps what the request refers to as long as the job lives.
  void hold(wire::Kept kept);
  const JobExtras* extras_or_null() const noexcept {
    return has_bare_error_ ? nullptr : attached_.extras;
  }
  // Whether there are any, which then stay where they are. Safety: also while another
  // thread settles the job; what it has no extras for may be a bare error next.
  bool has_extras() const noexcept {
    return (word_.load(std::memory_order_acquire) & extras_bit) != 0;
  }

  // --- for the engines; what is inline is defined in their src/pool/job_end.hpp ---

  // Null for a call.
  MapJob* as_map() noexcept;
  const MapJob* as_map() const noexcept { return const_cast<Job*>(this)->as_map(); }
  // How many items there are; a call has one.
  virtual std::size_t item_count() const noexcept = 0;
  // Counts items that have settled, with a value or without; all of them have.
  void note_kept(std::size_t items) noexcept;
  std::size_t kept_items() const noexcept;
  bool is_complete() const noexcept { return kept_items() >= item_count(); }
  // What a worker process needs for items [first, first + count). The bytes live
  // as long as the job is not settled.
  virtual Request request(std::size_t first, std::size_t count) const noexcept = 0;
  // Roughly how many bytes the answer to so many items will take.
  virtual std::size_t answer_room(std::size_t count) const noexcept = 0;
  // Keeps the encoded values of items [first, first + count), as bytes.
  virtual void keep(std::size_t first, std::size_t count, std::span<const std::byte> answer) = 0;
  // The same of one item's value, whose bytes won't change; may keep them where they
  // are instead of a copy.
  virtual void keep_outside(std::size_t item, LastingBytes value) = 0;
  // The same of bytes that may change while they are read: makes the value of them at once,
  // where that takes one copy. False: it's not kept.
  virtual bool keep_passing(std::size_t item, std::span<const std::byte> value);
  // Keeps why an item has no value.
  virtual void keep_failure(std::size_t item, Failure failure) = 0;
  // Runs items [first, first + count) in this process (Context::thread), and
  // records their values and errors. Never throws. Looks at `run` between items.
  virtual void run_here(std::size_t first, std::size_t count, HereRun& run) noexcept = 0;
  // Runs the user's callback, if there is one. On the callback thread.
  virtual void run_callback() = 0;

  // True for one caller only, who then runs what others may wait for. False when it's settled.
  inline bool take() noexcept;
  // Whether it was; may say false when it's being taken now.
  bool is_taken() const noexcept {
    return (word_.load(std::memory_order_acquire) & (taken_bit | outcome_mask)) != 0;
  }
  // True for one caller only, who then stores the outcome and publishes it.
  bool begin_settling() noexcept;
  // Requires: begin_settling() was true here. May be called under a lock. True
  // when somebody waits or watches, so that announce() is owed.
  bool publish(Outcome outcome) noexcept;
  // All at once, for an engine that has put the value where decode() would: it's opened
  // too. Requires: no extras.
  enum class Settled { by_another, unheard, awaited };
  inline Settled settle_opened() noexcept;
  // Both at once, for an engine whose lock lets one thread at a time settle a job: with
  // the outcome stored before. Requires: pending.
  bool settle(Outcome outcome) noexcept {
    static_assert(static_cast<std::uint32_t>(Outcome::pending) == 0);
    // Publishes the answer; pairs with the acquire in outcome().
    const std::uint32_t word =
        word_.fetch_or(static_cast<std::uint32_t>(outcome), std::memory_order_acq_rel);
    return is_awaited(word);
  }
  // The same where no other thread can find the job but under that lock, so that none waits.
  void settle_alone(Outcome outcome) noexcept {
    const std::uint32_t word = word_.load(std::memory_order_relaxed);
    word_.store(word | static_cast<std::uint32_t>(outcome), std::memory_order_release);
  }
  // Wakes the waiters and tells the observers. Once, after publish, no lock held.
  void announce() noexcept;
  // The job is somewhere else now: the waiters look again, also one that has looked and
  // does not sleep yet.
  void look_again() noexcept;
  // Requires: between begin_settling and publish.
  void set_error(std::exception_ptr error) noexcept;

  // The private word: outcome, and whether somebody sleeps on it. A futex.
  std::atomic<std::uint32_t>& word() noexcept { return word_; }
  bool has_waiters() const noexcept {
    return (word_.load(std::memory_order_acquire) & waiter_bit) != 0;
  }
  // Marks that somebody will sleep on word() and returns the value to sleep on;
  // nothing when the job is ready.
  std::optional<std::uint32_t> mark_waiter() noexcept;

 protected:
  Job(Core& core, Shape shape) noexcept : core_(&core), shape_(shape) {}
  ~Job() override {
    if (has_bare_error_ || attached_.extras) destroy_attached();
  }

  // Makes the typed value out of the answer bytes, or throws. Called once, by
  // open(); what it throws becomes the error and the outcome `failed`.
  virtual void decode() = 0;

 private:
  friend class Core;

  void destroy_attached() noexcept;
  void wake_waiters() noexcept;
  bool enter() noexcept;
  void leave() noexcept;
  void keep_core() noexcept;
  // With the word that was replaced when it got ready.
  bool is_awaited(std::uint32_t before) noexcept {
    if (before >= one_visitor) keep_core();
    return (before & (waiter_bit | observed_bit)) != 0;
  }

  static constexpr std::uint32_t outcome_mask = 7;
  static constexpr std::uint32_t opened_bit = 8;
  static constexpr std::uint32_t opening_bit = 16;
  static constexpr std::uint32_t waiter_bit = 32;
  static constexpr std::uint32_t observed_bit = 64;
  static constexpr std::uint32_t taken_bit = 128;
  static constexpr std::uint32_t extras_bit = 256;
  static constexpr std::uint32_t moved_bit = 512;     // its change says that the job moved
  static constexpr std::uint32_t kept_bit = 1024;     // visitors have a reference to the core
  static constexpr std::uint32_t one_visitor = 2048;  // the rest of the word counts them

  static Outcome outcome_of(std::uint32_t word) noexcept {
    return static_cast<Outcome>(word & outcome_mask);
  }

  // An error alone needs no extras: many jobs may be cancelled at once.
  union Attached {
    Attached() noexcept : extras(nullptr) {}
    ~Attached() {}
    JobExtras* extras;
    std::exception_ptr error;
  };

  std::atomic<std::uint32_t> word_{0};
  JobId id_;
  Core* core_;  // lives at least until the job is ready and its visitors have left
  Attached attached_;

 protected:
  // Null where threads of this program run it.
  const WorkerCode* code_ = nullptr;

 public:
  // --- the engine's own notes, guarded by the engine's lock ---
  // Of a call in a lane: the low half of its slot's position. Of any other job: since
  // when it has been in line, by the rough clock; 0 where it never had to wait there.
  std::uint32_t position_or_stamp = 0;
  std::int32_t seat = -1;  // the worker whose slot it is; -1 while in none
  bool in_backlog : 1 = false;
  bool listened : 1 = false;  // somebody outside wait() wants to hear of its end
  bool failed : 1 = false;    // an item at least
  bool has_kept : 1 = false;  // of a call: what note_kept counted

 private:
  const Shape shape_;
  bool has_bare_error_ : 1 = false;

 protected:
  // Before the job is submitted: its code lies where workers need help to find it.
  bool runs_far_ : 1 = false;
  bool is_made_ : 1 = false;  // its value, when it was settled, before anybody opened it
};

}  // namespace brood::detail
