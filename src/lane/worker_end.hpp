// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <brood/wire/code_ref.hpp>

#include "lane/answer_writer.hpp"
#include "lane/kept_mappings.hpp"
#include "lane/layout.hpp"
#include "os/memory.hpp"
#include "os/spin.hpp"

namespace brood::lane {

// A claimed task, as its worker sees it.
struct Claim {
  Claim() noexcept {}
  std::uint64_t position = 0;
  Slot* slot = nullptr;
  wire::CodeRef code;
  std::span<const std::byte> callable;  // of a bundle: one after another, each rounded up to 16
  std::span<const std::byte> items;
  std::span<BundledCall> bundle;  // empty but for calls that share the slot
  std::span<std::byte> answer_area;
  os::Mapping outside;  // what the request lies in, when neither in the lane nor in what is kept
};

// The worker's end of a lane.
//
// Safety: one thread. Survives: the program's death, by its own (life-line).
class WorkerEnd {
 public:
  // `lane` stays mapped as long as this lives. Bell and channel are the caller's.
  WorkerEnd(std::byte* lane, int channel, int bell) noexcept;

  // What to do once nothing has come for a while, if it's needed then.
  struct Tidier {
    bool (*is_needed)() noexcept;
    void (*tidy)() noexcept;
  };
  void tidy_when_idle(Tidier tidier) noexcept { tidier_ = tidier; }

  // The next task, into a new claim; sleeps until there is one. False when the parent has
  // closed the lane and nothing is queued.
  // Blocks: until then.
  bool take(Claim& claim);
  std::optional<Claim> take() {
    std::optional<Claim> claim(std::in_place);
    if (!take(*claim)) claim.reset();
    return claim;
  }
  // Whether the latest task was there at once.
  bool was_at_once() const noexcept { return at_once_; }
  // Where it wasn't: a moment just before it was there, if this end was looking out for it; else
  // none (the clock's zero).
  std::chrono::steady_clock::time_point seen_at() const noexcept { return seen_at_; }

  // claimed -> done, and whoever waits is woken. False: the task was condemned;
  // the caller runs no user code any more and waits for its end.
  bool finish(const Claim& claim) noexcept;
  // Before finish: what follows the values. `values` bytes of them were written.
  void add_trailer(const Claim& claim, Trailer kind, std::span<const std::byte> bytes,
                   std::size_t values);
  // Likewise: the value that goes apart.
  void add_value_apart(const Claim& claim, AnswerWriter& answer);
  AnswerStore* answers() noexcept { return &answers_; }
  // Where the numbers of what was lent to the parent come back.
  std::span<std::atomic<std::uint64_t>> returned_loans() const noexcept {
    return header().returned;
  }

  bool is_condemned(const Claim& claim) const noexcept;
  // After a `finish` that failed: waits for the kill that was meant for the task.
  // Where none was, or none comes, the lane was written over: it ends this process.
  [[noreturn]] void wait_for_the_end(const Claim& claim) const noexcept;

  void ready();
  void could_not_start(std::span<const std::byte> record) noexcept;
  // Where this process tells of its end.
  os::CrashRecord& crash_record() const noexcept { return header().crash; }

 private:
  Header& header() const noexcept { return *reinterpret_cast<Header*>(lane_); }
  Slot& slot(std::uint64_t position) const noexcept;
  bool try_take(Claim& claim);
  // `memory`: that of the bytes first, if `what` says that they are outside.
  void add_trailer_outside(const Claim& claim, Trailer kind, std::size_t size, std::uint32_t what,
                           std::span<const int> memory);
  void read(std::uint64_t position, Slot& from, Claim& claim);
  bool is_untidy() const noexcept;
  void sleep();
  bool is_to_move() noexcept;
  void stand_apart() noexcept;
  // Wakes and rings whom these bits of the slot's word name.
  void tell(Slot& slot, std::uint64_t bits) noexcept;
  void end_if_scribbled() const noexcept;
  bool nothing_to_do() const noexcept;

  std::byte* lane_;
  int channel_;
  int bell_;
  std::uint64_t position_;
  bool at_once_ = false;
  std::chrono::steady_clock::time_point seen_at_;
  unsigned streak_ = 0;  // tasks that were there at once, in a row
  os::Spin spin_;
  int giver_cpu_ = -1;          // of the latest task
  unsigned moved_in_vain_ = 0;  // since a spin paid
  unsigned stays_ = 0;          // for so many answers
  std::optional<Tidier> tidier_;
  std::uint64_t tidied_at_ = 0;  // the task that was next then
  AnswerStore answers_;
  KeptMappings requests_{KeptMappings::InForks::yes};  // as a task may fork, and use it there
};

}  // namespace brood::lane
