// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include <brood/base/export.hpp>
#include <brood/pool/job.hpp>
#include <brood/wire/writer.hpp>

namespace brood::detail {

// Bytes that are few most of the time: up to 24 lie in the object itself. Made to
// fit behind whatever it follows: of no alignment of its own.
class BROOD_EXPORT SmallBytes {
 public:
  SmallBytes() noexcept = default;
  SmallBytes(const SmallBytes&) = delete;
  SmallBytes& operator=(const SmallBytes&) = delete;
  ~SmallBytes() { clear(); }

  void assign(std::span<const std::byte> bytes);
  // Takes a message's memory over.
  void adopt(wire::Block block) noexcept;
  void clear() noexcept;
  std::span<const std::byte> view() const noexcept {
    if (size_ <= inline_size) return {bytes_, size_};
    const Elsewhere all = elsewhere();
    return {all.begin, all.size};
  }

 private:
  struct Elsewhere {
    std::byte* begin;
    std::size_t size;
  };
  static constexpr std::size_t inline_size = 24;
  static constexpr std::uint8_t is_elsewhere = 255;

  Elsewhere elsewhere() const noexcept {
    Elsewhere all;
    std::memcpy(&all, bytes_, sizeof all);
    return all;
  }

  std::uint8_t size_ = 0;
  std::byte bytes_[inline_size];  // or an Elsewhere
};

// One call as bytes: the request first, and in its place the answer.
class BROOD_EXPORT CallJob : public Job {
 public:
  // For a worker process; see Execution for what the thunk does.
  // Takes the memory of a large request over.
  void set_request(const WorkerCode& code, wire::Buffer& callable_and_arguments);

  std::size_t item_count() const noexcept final { return 1; }
  Request request(std::size_t first, std::size_t count) const noexcept final;
  std::size_t answer_room(std::size_t count) const noexcept override;
  // Requires: set_request().
  const WorkerCode& code() const noexcept { return *code_; }
  void keep(std::size_t first, std::size_t count, std::span<const std::byte> answer) final;
  void keep_outside(std::size_t item, LastingBytes value) final;
  void keep_failure(std::size_t item, Failure failure) final;

 protected:
  explicit CallJob(Core& core) noexcept : Job(core, Shape::call) {}
  ~CallJob() override;

  // An answer of that size, as others of such calls may be.
  void note_answer(std::size_t size) const noexcept { code_->note_answer(size); }
  // What decode() reads: the encoded value. Requires: the job is done.
  wire::Reader answer() const noexcept;
  // The value has been made of it: a large one is not kept twice.
  void forget_answer() noexcept;
  // Throws what the worker recorded, if it did. First line of each decode().
  void rethrow_record() const;
  // The user's callback and the like, for deriving classes that have none.
  void run_callback() override {}

 private:
  SmallBytes bytes_;
};

// Many calls of one function as bytes. Items are flat (each of one size, in one
// array, possibly the caller's own) or stand one after another at offsets that
// are multiples of 16.
class BROOD_EXPORT MapJob : public Job {
 public:
  struct FlatItems {
    const std::byte* begin;
    std::size_t stride;
  };
  struct Chunk {
    std::size_t first;
    std::size_t count;
    LastingBytes bytes;
  };
  struct ItemFailure {
    std::size_t item;
    Failure failure;
  };

  void set_callable(const WorkerCode& code, std::span<const std::byte> callable);
  // Refers to the caller's array, which must outlive the job's settling.
  void borrow_items(FlatItems items, std::size_t count) noexcept;
  // Takes encoded items over: flat ones of one stride, or ones at `offsets`,
  // which has one entry more than there are items.
  void own_flat_items(wire::Buffer bytes, std::size_t stride, std::size_t count);
  void own_items(wire::Buffer bytes, std::vector<std::size_t> offsets);
  // Takes items over, or a reference to those of the caller's, as above.
  void keep_items(std::unique_ptr<LateItems> items, std::size_t count) noexcept;
  // Where flat results go: item i at begin + i * stride. Without it the answers
  // are kept as chunks. A stride of 0 is a result of void.
  void flat_results(std::byte* begin, std::size_t stride) noexcept;

  std::size_t item_count() const noexcept final { return count_; }
  // Without the items that are not encoded yet.
  Request request(std::size_t first, std::size_t count) const noexcept final;
  bool encodes_late() const noexcept { return late_items_ != nullptr; }
  // The same with them, in `room`, as many as fit into so many bytes together with their
  // answers, and one at least; `count` is how many. Requires: encodes_late().
  // Throws: std::bad_alloc.
  Request late_request(std::size_t first, std::size_t& count, std::size_t most_bytes,
                       wire::Buffer& room) const;
  std::size_t answer_room(std::size_t count) const noexcept override;
  void keep(std::size_t first, std::size_t count, std::span<const std::byte> answer) final;
  void keep_outside(std::size_t item, LastingBytes value) final;
  bool keep_passing(std::size_t item, std::span<const std::byte> value) override;
  void keep_failure(std::size_t item, Failure failure) final;

 protected:
  explicit MapJob(Core& core) noexcept : Job(core, Shape::map) {}
  ~MapJob() override;

  // For Context::thread, where nothing is encoded.
  void set_item_count(std::size_t count) noexcept { count_ = count; }

  // After settling. Chunks in the order of arrival, failures likewise.
  const std::vector<Chunk>& chunks() const noexcept { return chunks_; }
  const std::vector<ItemFailure>& failures() const noexcept { return failures_; }
  void run_callback() override {}
  // The values of so many items took that many bytes.
  void note_answer(std::size_t bytes, std::size_t items = 1) noexcept;

 private:
  void keep_chunk(Chunk chunk);

  std::size_t count_ = 0;
  wire::Buffer callable_;
  FlatItems flat_items_{nullptr, 0};
  wire::Buffer items_;
  std::vector<std::size_t> offsets_;
  std::unique_ptr<LateItems> late_items_;
  std::byte* results_ = nullptr;
  std::size_t results_stride_ = 0;
  bool results_are_flat_ = false;
  std::size_t answered_items_ = 0;  // with answered_bytes_, the usual size of an answer
  std::size_t answered_bytes_ = 0;
  std::vector<Chunk> chunks_;
  std::vector<ItemFailure> failures_;

 public:
  // --- the engine's own notes, guarded by the engine's lock ---
  struct Range {
    std::size_t first;
    std::size_t count;
  };
  std::size_t next_item = 0;        // the first that was never handed out
  std::size_t settled_items = 0;    // with a value or without
  std::vector<Range> returned;      // handed out, and to be handed out again
  double item_nanoseconds = 0;      // measured, 0 while unknown
  std::size_t chunk_size = 0;       // as the caller asked, 0: by measured time
  std::size_t first_index = 0;      // of the first item, for this_task::index
  std::uint64_t seed_sequence = 0;  // for this_task::seed, 0: the job's own
};

inline MapJob* Job::as_map() noexcept {
  return shape_ == Shape::map ? static_cast<MapJob*>(this) : nullptr;
}

inline std::size_t Job::kept_items() const noexcept {
  const MapJob* const map = as_map();
  return map ? map->settled_items : (has_kept ? 1 : 0);
}

inline void Job::note_kept(std::size_t items) noexcept {
  if (MapJob* const map = as_map()) {
    map->settled_items += items;
  } else if (items != 0) {
    has_kept = true;
  }
}

}  // namespace brood::detail
