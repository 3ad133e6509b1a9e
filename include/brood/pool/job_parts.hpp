// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <span>

#include <brood/base/export.hpp>
#include <brood/base/timeout.hpp>
#include <brood/pool/execution.hpp>
#include <brood/wire/callable_label.hpp>
#include <brood/wire/reader.hpp>
#include <brood/wire/writer.hpp>

// What a job is made of, besides itself.
namespace brood::detail {

class Job;

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
  wire::Enclosed enclosed = {};  // what they refer to

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

// Items of a map that stay as they are until their worker is given them: those that may be
// encoded by any thread, under the engine's lock, since that calls nothing of the user's.
class LateItems {
 public:
  LateItems() = default;
  LateItems(const LateItems&) = delete;
  LateItems& operator=(const LateItems&) = delete;
  virtual ~LateItems() = default;

  // What it takes, but for padding.
  virtual std::size_t bytes_of(std::size_t item) const noexcept = 0;
  // Throws: std::bad_alloc.
  virtual void encode(std::size_t item, wire::Writer& out) const = 0;
};

// The user's callbacks, as the typed job knows them.
struct Callbacks {
  virtual ~Callbacks() = default;
};

// What only some jobs have; made when the first of it is asked for.
struct JobExtras {
  std::exception_ptr error;                     // of the job as a whole
  Timeout timeout;                              // of each item, from the start of its execution
  std::int64_t retries = 0;                     // further runs of an item whose worker crashed
  std::unique_ptr<Callbacks> callbacks;         // called on the callback thread
  std::map<std::size_t, std::int64_t> crashes;  // of items that may be run again
  wire::Kept kept;                              // what the request refers to
  std::unique_ptr<Failure> failure;             // of a call
  LastingBytes answer;                          // likewise, when it's large
};

// What a worker process runs for calls of one type.
struct WorkerCode {
  Thunk thunk;
  const wire::CallableLabel* label;
  // What answers to such calls take as a rule: quick to grow, slow to shrink.
  mutable std::atomic<std::uint32_t> usual_answer{0};
  // How long such calls run, as a rule, in nanoseconds; 0 while that's unknown.
  mutable std::atomic<std::uint32_t> usual_time{0};

  // Safety: any thread; of two at once one is overlooked.
  void note_answer(std::size_t size) const noexcept {
    const std::uint32_t usual = usual_answer.load(std::memory_order_relaxed);
    const auto seen = static_cast<std::uint32_t>(std::min<std::size_t>(size, 1U << 30));
    if (seen == usual) return;
    usual_answer.store(seen > usual ? seen : usual - (usual - seen + 7) / 8,
                       std::memory_order_relaxed);
  }
  // One that was held up does not make them long ones.
  void note_time(std::uint64_t nanoseconds) const noexcept {
    const std::uint64_t usual = usual_time.load(std::memory_order_relaxed);
    const auto seen = std::clamp<std::uint64_t>(nanoseconds, 1, 1U << 30);
    std::uint64_t now = seen;
    if (usual != 0) now = seen > usual ? std::min(seen, 2 * usual) : usual - (usual - seen + 3) / 4;
    if (now != usual) usual_time.store(static_cast<std::uint32_t>(now), std::memory_order_relaxed);
  }
};

}  // namespace brood::detail
