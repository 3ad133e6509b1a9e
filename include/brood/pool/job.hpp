// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <brood/base/export.hpp>
#include <brood/base/timeout.hpp>
#include <brood/pool/execution.hpp>
#include <brood/pool/job_id.hpp>
#include <brood/pool/job_ref.hpp>
#include <brood/wire/callable_label.hpp>

// A job is one submitted call, or one submitted map of many items: its request,
// its place in the pool, and its outcome. Handles (AsyncResult) share it.
//
//   pending --begin_settling--> settling --publish--> done | failed | cancelled
//                                                     --open--> the same, opened
//
// Invariant: begin_settling succeeds once, so an outcome is written by one
// thread, and after publish it never changes again. What a worker answered is
// kept as bytes until somebody opens the job; only then is user code (a
// deserializer) run, in the thread that asked.

namespace brood::detail {

class Core;
class Job;
class MapJob;

// Told, once, that a job has settled. Called by the thread that settled it, with
// no lock of the pool held; must not block nor throw.
class Observer {
 public:
  virtual void settled(Job& job) noexcept = 0;

 protected:
  ~Observer() = default;
};

// Why an item has no value: an error made by this program, or the record that a
// worker wrote of what was thrown there, which is read when the job is opened.
struct Failure {
  std::exception_ptr error;
  std::unique_ptr<std::byte[]> record;
  std::size_t record_size = 0;
  int worker_pid = 0;

  // The error, made out of the record where there is one.
  BROOD_EXPORT std::exception_ptr open() const;
};

// Bytes that nobody writes to any more, wherever they lie.
struct LastingBytes {
  std::shared_ptr<const std::byte> begin;
  std::size_t size = 0;

  std::span<const std::byte> view() const noexcept { return {begin.get(), size}; }
};

// What travels to a worker for a piece of a job, but for the label.
struct Request {
  Thunk thunk = nullptr;
  const wire::CallableLabel* label = nullptr;
  std::span<const std::byte> callable;
  std::span<const std::byte> items;

  // Where the function that is called lies; image 0 where it's no function.
  wire::CodeRef code() const;
};

// The user's callbacks, as the typed job knows them.
struct Callbacks {
  virtual ~Callbacks() = default;
};

// What only some jobs have; made when the first of it is asked for.
struct JobExtras {
  Timeout timeout;                              // of each item, from the start of its execution
  std::int64_t retries = 0;                     // further runs of an item whose worker crashed
  std::unique_ptr<Callbacks> callbacks;         // called on the callback thread
  std::map<std::size_t, std::int64_t> crashes;  // of items that may be run again
  wire::Kept kept;                              // what the request refers to
  std::unique_ptr<Failure> failure;             // of a call
  LastingBytes answer;                          // likewise, when it's large
};

class BROOD_EXPORT Job {
 public:
  enum class Outcome : std::uint32_t { pending, settling, done, failed, cancelled };

  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept;

  // As known without opening: a value that can't be decoded still says done.
  Outcome outcome() const noexcept { return outcome_of(word_.load(std::memory_order_acquire)); }
  bool ready() const noexcept { return outcome() > Outcome::settling; }
  JobId id() const noexcept { return id_; }
  Core& core() const noexcept { return *core_; }

  // Blocks: until the job is ready or the deadline has passed. Completes other
  // jobs of the pool meanwhile. True when ready.
  bool wait(const Deadline& deadline);

  // Decodes what came back, once; others that ask meanwhile wait for it.
  // Requires: ready(). Afterwards outcome() and error() are final.
  void open();
  // The error of a failed or cancelled job. Requires: opened.
  const std::exception_ptr& error() const noexcept { return error_; }

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
  const JobExtras* extras_or_null() const noexcept { return extras_.get(); }

  // --- for the engines ---

  // Null for a call.
  virtual MapJob* as_map() noexcept { return nullptr; }
  const MapJob* as_map() const noexcept { return const_cast<Job*>(this)->as_map(); }
  // How many items there are; a call has one.
  virtual std::size_t item_count() const noexcept = 0;
  // What a worker process needs for items [first, first + count). The bytes live
  // as long as the job is not settled.
  virtual Request request(std::size_t first, std::size_t count) const noexcept = 0;
  // Roughly how many bytes the answer to so many items will take.
  virtual std::size_t answer_room(std::size_t count) const noexcept = 0;
  // Keeps the encoded values of items [first, first + count), as bytes.
  virtual void keep(std::size_t first, std::size_t count, std::span<const std::byte> answer) = 0;
  // The same of one item's value, whose bytes won't change; may keep them where they
  // are instead of a copy.
  virtual void keep_outside(std::size_t item, LastingBytes value) { keep(item, 1, value.view()); }
  // Keeps why an item has no value.
  virtual void keep_failure(std::size_t item, Failure failure) = 0;
  // Runs items [first, first + count) in this process (Context::thread), and
  // records their values and errors. Never throws. Looks at `run` between items.
  virtual void run_here(std::size_t first, std::size_t count, HereRun& run) noexcept = 0;
  // Runs the user's callback, if there is one. On the callback thread.
  virtual void run_callback() = 0;

  // True for one caller only, who then stores the outcome and publishes it.
  bool begin_settling() noexcept;
  // Requires: begin_settling() was true here. May be called under a lock. True
  // when somebody waits or watches, so that announce() is owed.
  bool publish(Outcome outcome) noexcept;
  // Wakes the waiters and tells the observers. Once, after publish, no lock held.
  void announce() noexcept;
  // Wakes the waiters so that they look again where the job is.
  void nudge() noexcept;
  // Requires: between begin_settling and publish.
  void set_error(std::exception_ptr error) noexcept { error_ = std::move(error); }

  // The private word: outcome, and whether somebody sleeps on it. A futex.
  std::atomic<std::uint32_t>& word() noexcept { return word_; }
  bool has_waiters() const noexcept {
    return (word_.load(std::memory_order_acquire) & waiter_bit) != 0;
  }
  // Marks that somebody will sleep on word() and returns the value to sleep on;
  // nothing when the job is ready.
  std::optional<std::uint32_t> mark_waiter() noexcept;

 protected:
  explicit Job(Core& core) noexcept;
  virtual ~Job();

  // Makes the typed value out of the answer bytes, or throws. Called once, by
  // open(); what it throws becomes the error and the outcome `failed`.
  virtual void decode() = 0;

 private:
  friend class Core;

  static constexpr std::uint32_t outcome_mask = 7;
  static constexpr std::uint32_t opened_bit = 8;
  static constexpr std::uint32_t opening_bit = 16;
  static constexpr std::uint32_t waiter_bit = 32;
  static constexpr std::uint32_t observed_bit = 64;

  static Outcome outcome_of(std::uint32_t word) noexcept {
    return static_cast<Outcome>(word & outcome_mask);
  }

  std::atomic<std::uint32_t> references_{1};
  std::atomic<std::uint32_t> word_{0};
  JobId id_;
  Core* core_;  // a counted reference
  std::exception_ptr error_;
  std::unique_ptr<JobExtras> extras_;

 public:
  // --- the engine's own notes, guarded by the engine's lock ---
  std::uint64_t position = 0;  // of a call's slot
  std::size_t kept_items = 0;  // settled, with a value or without
  std::int32_t seat = -1;      // the worker whose slot it is; -1 while in none
  // By the rough clock's milliseconds; 0 where it never had to wait in line.
  std::uint32_t in_line_since = 0;
  bool in_backlog = false;
  bool listened = false;  // somebody outside wait() wants to hear of its end
  bool failed = false;    // an item at least
};

}  // namespace brood::detail
