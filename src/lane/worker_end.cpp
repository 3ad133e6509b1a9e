// SPDX-License-Identifier: MIT
#include "lane/worker_end.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include <brood/base/kill_point.hpp>
#include <brood/base/timeout.hpp>

#include "lane/outside.hpp"
#include "os/channel.hpp"
#include "os/child_setup.hpp"
#include "os/futex.hpp"
#include "os/place.hpp"
#include "os/poller.hpp"

namespace brood::lane {
namespace {

using detail::kill_point;
using detail::KillPoint;

// A condemned task's worker is killed at once. This long after, nobody was in
// earnest: its task has written over what says so.
constexpr std::chrono::seconds until_killed_at_last{10};

// Without a task, before a worker is taken to be idle.
constexpr std::chrono::milliseconds for_a_while{200};

// After so many tasks without a pause more are taken to be there.
constexpr unsigned long_streak = 8;

// Those lines of a slot that a small task needs.
void prefetch_request(const Slot& slot) noexcept {
  __builtin_prefetch(&slot.image);
  __builtin_prefetch(slot.inline_area);
}
void prefetch(const Slot& slot) noexcept {
  __builtin_prefetch(&slot.word, 1);
  prefetch_request(slot);
}

// Nobody is to be told twice.
constexpr std::uint64_t settled_word(std::uint64_t word, State state) noexcept {
  return with_state(word, state) & ~(waiter_bit | bell_bit);
}

}  // namespace

WorkerEnd::WorkerEnd(std::byte* lane, int channel, int bell) noexcept
    : lane_(lane),
      channel_(channel),
      bell_(bell),
      position_(header().slot_count),
      answers_(header().answer_taken) {}

Slot& WorkerEnd::slot(std::uint64_t position) const noexcept {
  auto* const slots = reinterpret_cast<Slot*>(lane_ + sizeof(Header));
  return slots[position & (header().slot_count - 1)];
}

bool WorkerEnd::take(Claim& claim) {
  at_once_ = true;
  seen_at_ = {};
  for (;;) {
    end_if_scribbled();
    if (try_take(claim)) return true;
    at_once_ = false;
    if (!nothing_to_do()) continue;
    if (header().closing.load(std::memory_order_seq_cst) != 0) {
      if (nothing_to_do()) return false;
      continue;
    }
    sleep();
  }
}

// Passes revoked slots. Survives: death between the two moves; the parent then
// finds the slot claimed, with no item begun.
bool WorkerEnd::try_take(Claim& claim) {
  for (;;) {
    Slot& next = slot(position_);
    // Pairs with the parent's publishing store.
    std::uint64_t word = next.word.load(std::memory_order_acquire);
    if (generation_of(word) != position_) return false;
    switch (state_of(word)) {
      case State::queued:
        // Else that was done before: it comes over while the claim does.
        if (streak_ <= long_streak) prefetch_request(next);
        kill_point(KillPoint::before_claim);
        if (next.word.compare_exchange_weak(word, with_state(word, State::claimed))) {
          kill_point(KillPoint::claimed);
          streak_ = at_once_ ? streak_ + 1 : 0;
          if (streak_ > long_streak) prefetch(slot(position_ + 2));
          read(position_++, next, claim);
          return true;
        }
        break;
      case State::revoked:
        kill_point(KillPoint::before_passing_revoked);
        if (next.word.compare_exchange_weak(word, settled_word(word, State::free))) {
          kill_point(KillPoint::revoked_passed);
          ++position_;
          tell(next, word);
        }
        break;
      case State::free:
      case State::claimed:
      case State::done:
      case State::condemned: return false;
    }
  }
}

void WorkerEnd::read(std::uint64_t position, Slot& from, Claim& claim) {
  claim.position = position;
  claim.slot = &from;
  claim.code = {from.image, from.offset};
  const auto callable_size = static_cast<std::size_t>(from.callable_size);
  const auto items_size = static_cast<std::size_t>(from.items_size);
  giver_cpu_ = static_cast<int>(from.flags >> cpu_shift);
  const bool is_outside = (from.flags & callable_outside) != 0;
  const std::byte* bytes = from.inline_area;
  if ((from.flags & inside_slot) != 0) {
    const std::size_t here = is_outside ? 0 : request_size(callable_size, items_size);
    claim.answer_area = std::span(from.inline_area).subspan(here);
  } else {
    bytes = lane_ + from.block;
    claim.answer_area = {lane_ + from.answer_begin, static_cast<std::size_t>(from.answer_room)};
  }
  if (is_outside) {
    kill_point(KillPoint::before_request_arrives);
    bytes = nullptr;
    // It was sent before the task was queued. Not there, it never comes: the program
    // has closed, or an earlier task wrote over the slot.
    auto memory = receive_note(channel_, position, Deadline(Timeout(std::chrono::nanoseconds(0))));
    if (!memory || memory->empty()) os::end_by_kill();
    kill_point(KillPoint::request_arrived);
    const int fd = memory->front().get();
    const std::size_t size = os::memory_size(fd);
    if (size <= largest_kept) bytes = requests_.find(fd, size).data();
    if (!bytes) {
      claim.outside = os::map_read_only(fd, size);
      bytes = claim.outside.data();
    }
    kill_point(KillPoint::request_mapped);
  }
  if ((from.flags & bundle_flag) != 0) {
    claim.bundle = {reinterpret_cast<BundledCall*>(from.inline_area), from.count};
    claim.callable = std::span(bytes, callable_size).subspan(claim.bundle.size_bytes());
    return;
  }
  claim.callable = {bytes, callable_size};
  claim.items = {bytes + rounded_up(callable_size, 16), items_size};
}

bool WorkerEnd::nothing_to_do() const noexcept {
  const std::uint64_t word = slot(position_).word.load(std::memory_order_seq_cst);
  return generation_of(word) != position_;
}

// Once after each task: what it can't give back now it can't a moment later.
bool WorkerEnd::is_untidy() const noexcept {
  return position_ != tidied_at_ &&
         (!answers_.is_empty() || !requests_.is_empty() || (tidier_ && tidier_->is_needed()));
}

// On one CPU with who gives it tasks it can't be awake when that one is: neither finds
// anything by looking. Linux may wake it there again and again though another CPU idles, where
// that is a virtual one of which the host has something better to do. After each move that
// did not help twice as many answers pass before the next, up to 256.
bool WorkerEnd::is_to_move() noexcept {
  const bool may_spin = header().sleep_at_once.load(std::memory_order_relaxed) == 0;
  if (!may_spin || giver_cpu_ != os::current_cpu()) return false;
  if (stays_ == 0) return true;
  --stays_;
  return false;
}

void WorkerEnd::stand_apart() noexcept {
  constexpr unsigned most_moved = 8;
  moved_in_vain_ = std::min(moved_in_vain_ + 1, most_moved);
  stays_ = 1U << moved_in_vain_;
  try {
    os::avoid_cpus({giver_cpu_});
  } catch (const std::exception&) {
    // It works where it is, too.
  }
  const int here = os::current_cpu();
  header().cpu.store(here, std::memory_order_relaxed);
  if (here != giver_cpu_) spin_.hope();
}

void WorkerEnd::sleep() {
  Header& head = header();
  const auto news = [&] {
    return !nothing_to_do() || head.closing.load(std::memory_order_relaxed) != 0;
  };
  if (head.sleep_at_once.load(std::memory_order_relaxed) == 0 && spin_.until(news)) {
    moved_in_vain_ = stays_ = 0;
    seen_at_ = spin_.latest();
    return;
  }
  seen_at_ = {};
  // Dekker: asleep first, then a look; the parent queues first, or wants a ring,
  // then looks at asleep. seq_cst on all of them.
  head.asleep.store(1, std::memory_order_seq_cst);
  kill_point(KillPoint::marked_asleep);
  const bool untidy = is_untidy();
  if (nothing_to_do() && head.closing.load(std::memory_order_seq_cst) == 0) {
    kill_point(KillPoint::before_idle_bell);
    if (head.ring_when_idle.load(std::memory_order_seq_cst) != 0) os::Bell::ring(bell_);
    os::futex_wait(head.asleep, 1, untidy ? Deadline(for_a_while) : Deadline(),
                   os::Sharing::between_processes);
  }
  kill_point(KillPoint::awake);
  head.cpu.store(os::current_cpu(), std::memory_order_relaxed);
  head.asleep.store(0, std::memory_order_relaxed);
  if (untidy && nothing_to_do()) {
    tidied_at_ = position_;
    answers_.clear();
    requests_.forget();
    if (tidier_) tidier_->tidy();
  }
}

bool WorkerEnd::finish(const Claim& claim) noexcept {
  kill_point(KillPoint::before_done);
  auto& place = claim.slot->word;
  std::uint64_t word = place.load(std::memory_order_acquire);
  for (;;) {
    if (state_of(word) != State::claimed) return false;
    if (generation_of(word) != claim.position) return false;
    // Publishes the answer; pairs with the acquire in ParentEnd::take. Survives:
    // death before it leaves a claimed slot, whose ended items count.
    if (place.compare_exchange_weak(word, settled_word(word, State::done))) break;
  }
  // Survives: death here. The parent wakes the sleepers of a dead worker's slots.
  kill_point(KillPoint::done);
  tell(*claim.slot, word);
  return true;
}

void WorkerEnd::tell(Slot& slot, std::uint64_t bits) noexcept {
  if ((bits & waiter_bit) != 0) {
    const bool moves = is_to_move();
    // Whoever is woken is to look for the next answer at once: this one is about to go.
    if (moves) header().cpu.store(-1, std::memory_order_relaxed);
    os::futex_wake(&slot.word, std::numeric_limits<int>::max(), os::Sharing::between_processes);
    kill_point(KillPoint::waiter_woken);
    if (moves) stand_apart();
  }
  if ((bits & bell_bit) != 0) {
    os::Bell::ring(bell_);
    kill_point(KillPoint::bell_rung);
  }
}

void WorkerEnd::add_trailer(const Claim& claim, Trailer kind, std::span<const std::byte> bytes,
                            std::size_t values) {
  kill_point(KillPoint::before_trailer);
  const std::size_t begin = rounded_up(values, 16);
  if (begin > claim.answer_area.size() || bytes.size() > claim.answer_area.size() - begin) {
    const os::UniqueFd memory = os::copy_to_memory("brood-answer", bytes);
    const int fd = memory.get();
    return add_trailer_outside(claim, kind, bytes.size(), bytes_outside, std::span(&fd, 1));
  }
  if (!bytes.empty()) {
    std::memcpy(claim.answer_area.data() + begin, bytes.data(), bytes.size());
  }
  kill_point(KillPoint::trailer_copied);
  claim.slot->trailer_size = bytes.size();
  kill_point(KillPoint::trailer_sized);
  claim.slot->trailer = kind;
  kill_point(KillPoint::trailer_set);
}

void WorkerEnd::add_trailer_outside(const Claim& claim, Trailer kind, std::size_t size,
                                    std::uint32_t what, std::span<const int> memory) {
  const OutsideNote sent{claim.position, size};
  kill_point(KillPoint::before_note_is_sent);
  os::send_message(channel_, std::as_bytes(std::span(&sent, 1)), memory);
  kill_point(KillPoint::note_sent);
  claim.slot->trailer_size = size;
  claim.slot->trailer = kind;
  claim.slot->trailer_outside = what;
}

void WorkerEnd::add_value_apart(const Claim& claim, AnswerWriter& answer) {
  const std::size_t size = answer.apart_size();
  const std::uint32_t with_memory = answer.enclosed().empty() ? 0 : memory_enclosed;
  if (!*answer.overflowed()) {
    // It lies where a trailer does: behind the other values, at a multiple of 16.
    return add_trailer_outside(claim, Trailer::value, size, with_memory, answer.enclosed());
  }
  AnswerMemory memory = answer.take_overflow();
  std::vector<int> sent{memory.memory.get()};
  sent.insert(sent.end(), answer.enclosed().begin(), answer.enclosed().end());
  add_trailer_outside(claim, Trailer::value, size, bytes_outside | with_memory, sent);
  memory.position = claim.position;
  if (memory) answers_.keep(std::move(memory));
}

bool WorkerEnd::is_condemned(const Claim& claim) const noexcept {
  const std::uint64_t word = claim.slot->word.load(std::memory_order_acquire);
  if (generation_of(word) != claim.position) return false;
  return state_of(word) == State::condemned ||
         (claim.slot->begun.load(std::memory_order_acquire) & condemned_item_bit) != 0;
}

void WorkerEnd::wait_for_the_end(const Claim& claim) const noexcept {
  if (is_condemned(claim)) os::pause_for(until_killed_at_last);
  os::end_by_kill();
}

void WorkerEnd::end_if_scribbled() const noexcept {
  if (header().magic != Header::right_magic) [[unlikely]]
    os::end_by_kill();
}

void WorkerEnd::ready() {
  kill_point(KillPoint::before_ready);
  const OutsideNote started{0, 0};
  os::send_message(channel_, std::as_bytes(std::span(&started, 1)), {});
  header().cpu.store(os::current_cpu(), std::memory_order_relaxed);
  header().startup.store(static_cast<std::uint32_t>(Startup::ready), std::memory_order_release);
  kill_point(KillPoint::ready);
}

void WorkerEnd::could_not_start(std::span<const std::byte> record) noexcept {
  Header& head = header();
  const std::size_t size = std::min(record.size(), sizeof head.failure);
  if (size == record.size()) std::memcpy(head.failure, record.data(), size);
  head.failure_size.store(size == record.size() ? size : 0, std::memory_order_relaxed);
  head.startup.store(static_cast<std::uint32_t>(Startup::failed), std::memory_order_release);
  os::Bell::ring(bell_);
}

}  // namespace brood::lane
