// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "os/crash_record.hpp"

// What lies in the memory that a program shares with one of its workers, and
// with nobody else: a header, a ring of slots, an arena for what is larger.
//
// A task lies in a slot. The slot's word has 64 bits, and every move of it is
// one compare-and-swap:
//
//     generation : 58 | bell | waiter | unused | state : 3
//
//     free, or of an older generation
//       --(parent)--> queued --(worker)--> claimed --(worker)--> done
//                       |                    |
//                    (parent)             (parent)
//                       v                    v
//                    revoked             condemned
//
// The generation is the task's position: it only grows, and names slot
// position % slot_count. Invariants:
//  - one side wins each move, so a task is run by the worker that claimed it, or
//    withdrawn, never both;
//  - a worker that loses claimed -> done runs nothing of the user's any more, so
//    no signal meant for a condemned task hits the next one;
//  - the parent uses a slot again only when it has taken the old answer out.
//
// The parent believes nothing here: it reads each field once, checks it, and
// keeps who is waiting for what in memory of its own. What it finds impossible it
// calls so for good, and the worker dies of it. The worker looks as well, at the
// magic number and at its task's generation: a task that wrote over the lane may
// have wiped out every wake that its end owed, so its worker ends itself.
namespace brood::lane {

inline constexpr std::size_t cache_line = 64;

enum class State : std::uint64_t { free, queued, claimed, done, revoked, condemned };

inline constexpr std::uint64_t state_mask = 7;
inline constexpr std::uint64_t waiter_bit = 16;  // the parent sleeps on this word
inline constexpr std::uint64_t bell_bit = 32;    // ring the supervisor when done
inline constexpr unsigned generation_shift = 6;

constexpr State state_of(std::uint64_t word) noexcept {
  return static_cast<State>(word & state_mask);
}
constexpr std::uint64_t generation_of(std::uint64_t word) noexcept {
  return word >> generation_shift;
}
constexpr std::uint64_t make_word(std::uint64_t generation, State state,
                                  std::uint64_t bits = 0) noexcept {
  return (generation << generation_shift) | bits | static_cast<std::uint64_t>(state);
}
constexpr std::uint64_t with_state(std::uint64_t word, State state) noexcept {
  return (word & ~state_mask) | static_cast<std::uint64_t>(state);
}

// What follows the values in an answer.
enum class Trailer : std::uint32_t {
  none,
  exception,  // a record of what the item behind the last value threw
  value,      // that item's value, which did not fit, or refers to memory sent along
  rest,       // the items behind the last value are for another worker
};

// Flags of a request.
inline constexpr std::uint32_t guarded_flag = 1;      // items have deadlines
inline constexpr std::uint32_t callable_outside = 2;  // request in memory of its own
inline constexpr std::uint32_t inside_slot = 4;       // the block is the slot's inline area
inline constexpr std::uint32_t bundle_flag = 8;       // many calls of one function
inline constexpr std::uint32_t seen_flag = 16;        // who gave it looks out for its end
inline constexpr unsigned cpu_shift = 16;             // above it: the giver's CPU, a hint

// In `run_nanoseconds`: who sees the task's end knows it, by when it began. A look at the clock
// at the end would keep it waiting, for a twelfth of what the shortest task takes.
inline constexpr std::uint64_t untold = ~std::uint64_t{0};

// In `trailer_outside`, what was sent over the channel: the trailer's bytes, in memory of
// their own; memory that the value refers to.
inline constexpr std::uint32_t bytes_outside = 1;
inline constexpr std::uint32_t memory_enclosed = 2;

// In `begun` of a guarded task: the parent has condemned the begun item.
inline constexpr std::uint64_t condemned_item_bit = std::uint64_t{1} << 63;
// Likewise: the worker is past the last item, and can't be condemned for one.
inline constexpr std::uint64_t finished_items_bit = std::uint64_t{1} << 62;
// In `begun` of a bundle: its worker begins no further call, the parent has them back.
inline constexpr std::uint64_t cut_bit = std::uint64_t{1} << 61;

// What is no count in `begun`.
inline constexpr std::uint64_t begun_marks = condemned_item_bit | finished_items_bit | cut_bit;

inline constexpr std::size_t slot_size = 512;
inline constexpr std::size_t inline_size = 320;

// A small task costs three cache lines: what both write, what the parent says, and
// the bytes.
struct alignas(cache_line) Slot {
  // By both sides, by compare-and-swap only. Its low half is a futex word.
  std::atomic<std::uint64_t> word;
  // By the worker; `begun` of a guarded task or a bundle also by the parent.
  std::atomic<std::uint64_t> begun;       // items begun, which is 1 + the running one
  std::atomic<std::uint64_t> ended;       // items whose values are complete
  std::atomic<std::uint64_t> answer_end;  // bytes of values, published by `ended`
  // By the worker before `done`.
  std::uint64_t run_nanoseconds;
  std::uint64_t trailer_size;
  Trailer trailer;
  std::uint32_t trailer_outside;  // what of it was sent over the channel
  // Guarded: when the begun item began. Where run_nanoseconds is untold, when the task did. By
  // the steady clock.
  std::atomic<std::int64_t> item_since;

  // By the parent before `queued`; the worker reads it after.
  std::uint64_t image;
  std::uint64_t offset;
  std::uint64_t job;
  std::uint64_t sequence;  // the job's number in its pool, for seeds
  std::uint64_t first_item;
  std::uint64_t callable_size;
  std::uint64_t items_size;
  std::uint32_t count;
  std::uint32_t flags;

  // The same, unless all lies in `inline_area`.
  std::uint64_t block;         // where the bytes begin, from the start of the lane
  std::uint64_t answer_begin;  // likewise
  std::uint64_t answer_room;   // bytes for the answer
  // By the parent: the task is asked to stop.
  std::atomic<std::uint64_t> stop;  // the generation that is meant
  // By the worker.
  std::atomic<std::uint64_t> progress_done;
  std::atomic<std::uint64_t> progress_total;
  std::byte padding[16];

  std::byte inline_area[inline_size];
};
static_assert(sizeof(Slot) == slot_size && offsetof(Slot, inline_area) % cache_line == 0);
static_assert(offsetof(Slot, image) == cache_line && offsetof(Slot, block) == 2 * cache_line);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free,
              "a lock inside shared memory would die with its owner");

// Callable, items and answer follow each other at multiples of 16.
constexpr std::uint64_t rounded_up(std::uint64_t size, std::uint64_t alignment) noexcept {
  return (size + alignment - 1) & ~(alignment - 1);
}
constexpr std::uint64_t request_size(std::uint64_t callable, std::uint64_t items) noexcept {
  return rounded_up(rounded_up(callable, 16) + items, 16);
}

// Calls of one function that share a slot, so that its lines go to the worker and back
// once for all of them. They lie in its inline area: first one of these for each, then
// the callables, each at a multiple of 16, then the values, one after another.
struct BundledCall {
  std::uint64_t job;
  std::uint32_t size;       // of its callable
  std::uint32_t value_end;  // by the worker before `ended`, from where the values begin
};
inline constexpr std::size_t most_bundled = 8;

// What a call takes of an inline area, with so many bytes for its value.
constexpr std::size_t bundled_size(std::size_t callable, std::size_t value) noexcept {
  return sizeof(BundledCall) + rounded_up(callable, 16) + value;
}

enum class Startup : std::uint32_t { beginning, ready, failed };

struct Header {
  static constexpr std::uint64_t right_magic = 0x6c616e65'62726f6f;
  std::uint64_t magic;
  std::uint64_t slot_count;  // a power of two
  std::uint64_t arena_size;

  // By the worker, and by the parent's exchange: 1 while it sleeps or is about
  // to. A futex word.
  alignas(cache_line) std::atomic<std::uint32_t> asleep;
  std::atomic<std::uint32_t> startup;  // Startup; by the worker
  std::atomic<std::int32_t> cpu;       // by the worker: where it last woke, or went to. A hint

  // By the parent.
  alignas(cache_line) std::atomic<std::uint32_t> closing;  // leave when nothing is queued
  std::atomic<std::uint32_t> ring_when_idle;               // somebody could give it more
  std::atomic<std::uint64_t> answer_taken;   // the latest task whose large answer is read
  std::atomic<std::uint32_t> sleep_at_once;  // its core is wanted by who gives it tasks
  // What the worker lent and has back, by number: set by the parent where it's 0, cleared
  // by the worker.
  std::array<std::atomic<std::uint64_t>, 4> returned;

  // By the worker: why it could not start, as an exception record.
  alignas(cache_line) std::atomic<std::uint64_t> failure_size;
  std::byte failure[4096 - 4 * cache_line];

  // The black box: by the worker, what it was at when it died. Advisory.
  alignas(cache_line) os::CrashRecord crash;
  std::byte rest[4096 - sizeof(os::CrashRecord)];
};
static_assert(sizeof(Header) == 8192 && offsetof(Header, crash) == 4096);

// Memory of what does not fit is kept for the next one, on both sides; of a
// larger one it's given back to the kernel at once.
inline constexpr std::size_t largest_kept = std::size_t{256} << 20;

// The sizes of a lane. Untouched pages cost nothing.
struct Geometry {
  std::size_t slots = 256;
  std::size_t arena = std::size_t{1} << 20;
  constexpr std::size_t arena_begin() const noexcept {
    return sizeof(Header) + slots * sizeof(Slot);
  }
  constexpr std::size_t size() const noexcept { return arena_begin() + arena; }
};

}  // namespace brood::lane
