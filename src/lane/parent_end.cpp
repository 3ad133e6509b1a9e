// SPDX-License-Identifier: MIT
#include "lane/parent_end.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <brood/base/error.hpp>

#include "lane/outside.hpp"
#include "lane/slot_access.hpp"
#include "os/channel.hpp"
#include "os/fence.hpp"
#include "os/place.hpp"
#include "os/syscall.hpp"

namespace brood::lane {
namespace {

// So many requests in memory of their own may be on their way; more would fill
// the channel, and the parent may not wait for a worker.
constexpr std::size_t most_outside = 16;

constexpr int most_sleepers = std::numeric_limits<int>::max();

// The worker has yet to do something with the slot.
constexpr bool is_open_word(std::uint64_t word, std::uint64_t position) noexcept {
  return generation_of(word) == position && state_of(word) != State::done &&
         state_of(word) != State::free;
}

const void* low_half(const std::atomic<std::uint64_t>& word) noexcept {
  static_assert(std::endian::native == std::endian::little);
  return &word;
}

}  // namespace

ParentEnd::ParentEnd(const Geometry& geometry)
    : geometry_(geometry),
      memory_(os::make_memory("brood-lane", geometry.size())),
      lane_(os::map_shared(memory_.get(), geometry.size())),
      slots_(reinterpret_cast<Slot*>(lane_.data() + sizeof(Header))),
      notes_(geometry.slots),
      // Generation 0 is what untouched memory says.
      tail_(geometry.slots),
      head_(geometry.slots) {
  lane_.not_in_forks();
  lane_.not_in_dumps(geometry.arena_begin());
  Header& head = header();
  head.magic = Header::right_magic;
  head.slot_count = geometry.slots;
  head.arena_size = geometry.arena;
  auto [here, there] = os::make_channel();
  channel_ = std::move(here);
  worker_channel_ = std::move(there);
}

void ParentEnd::worker_has_them() noexcept {
  memory_.reset();
  worker_channel_.reset();
}

std::optional<std::size_t> ParentEnd::find_room(std::size_t size) noexcept {
  if (blocks_.empty()) return 0;
  const auto& oldest = blocks_.front();
  const auto& newest = blocks_.back();
  const std::size_t end = newest.begin + newest.size;
  if (newest.begin < oldest.begin) {  // wrapped
    return oldest.begin - end > size ? std::optional(end) : std::nullopt;
  }
  if (geometry_.arena - end >= size) return end;
  return oldest.begin > size ? std::optional<std::size_t>(0) : std::nullopt;
}

std::optional<std::uint64_t> ParentEnd::give(const Parcel& parcel) {
  if (outstanding() == geometry_.slots) return std::nullopt;
  const std::uint64_t position = tail_;
  Slot& to = slot(position);
  Note& note = notes_[position & (geometry_.slots - 1)];

  const std::size_t items_begin = rounded_up(parcel.callable.size(), 16);
  const std::size_t request = request_size(parcel.callable.size(), parcel.items.size());
  const bool outside = request > geometry_.arena / 2;
  if (outside && outside_requests_ == most_outside) return std::nullopt;
  const std::size_t here = outside ? 0 : request;
  // A worker may be short of room: it sends what does not fit another way.
  const std::size_t answer_room =
      std::max(std::min(parcel.answer_room, geometry_.arena / 4), std::size_t{64});

  Note fresh;
  fresh.count = parcel.count;
  fresh.has_outside = outside;
  std::size_t begin_in_lane = static_cast<std::size_t>(to.inline_area - lane_.data());
  fresh.answer_room = inline_size - std::min(here, inline_size);
  if (here + answer_room > inline_size) {
    fresh.block_size = rounded_up(here + answer_room, cache_line);
    const auto begin = find_room(fresh.block_size);
    if (!begin) return std::nullopt;
    begin_in_lane = geometry_.arena_begin() + *begin;
    fresh.answer_room = fresh.block_size - here;
    if (outside) send_outside(position, parcel, items_begin, fresh);
    blocks_.push_back({*begin, fresh.block_size});
  } else if (outside) {
    send_outside(position, parcel, items_begin, fresh);
  }
  fresh.answer_begin = begin_in_lane + here;

  std::byte* const block = lane_.data() + begin_in_lane;
  if (!outside && !parcel.callable.empty()) {
    std::memcpy(block, parcel.callable.data(), parcel.callable.size());
  }
  if (!outside && !parcel.items.empty()) {
    std::memcpy(block + items_begin, parcel.items.data(), parcel.items.size());
  }
  fill(to, parcel, begin_in_lane, fresh);
  note = std::move(fresh);
  ++tail_;
  // Publishes the slot; pairs with the acquire in WorkerEnd::take.
  to.word.store(make_word(position, State::queued, parcel.bell ? bell_bit : 0),
                std::memory_order_release);
  // The worker had those that come soon, and their lines take a while to come over.
  if (outstanding() + soon < geometry_.slots) prefetch_to_write(slot(position + soon));
  return position;
}

void ParentEnd::fill(Slot& to, const Parcel& parcel, std::size_t begin, const Note& note) {
  to.begun.store(0, std::memory_order_relaxed);
  to.ended.store(0, std::memory_order_relaxed);
  to.answer_end.store(0, std::memory_order_relaxed);
  to.item_since.store(0, std::memory_order_relaxed);
  to.image = parcel.code.image;
  to.offset = parcel.code.offset;
  to.job = parcel.job;
  to.sequence = parcel.sequence;
  to.first_item = parcel.first_item;
  to.count = parcel.count;
  to.callable_size = parcel.callable.size();
  to.items_size = parcel.items.size();
  to.trailer = Trailer::none;
  to.trailer_outside = 0;
  to.flags = (parcel.guarded ? guarded_flag : 0) | (note.has_outside ? callable_outside : 0);
  if (parcel.seen && !parcel.guarded) to.flags |= seen_flag;
  to.flags |= static_cast<std::uint32_t>(os::current_cpu()) << cpu_shift;
  if (note.block_size == 0) {
    to.flags |= inside_slot;
  } else {
    to.block = begin;
    to.answer_begin = note.answer_begin;
    to.answer_room = note.answer_room;
  }
}

void ParentEnd::wake() noexcept {
  os::FutexWord& asleep = header().asleep;
  // Of what was given and `asleep`, which the worker sets before it looks at its slots:
  // one of the two sees the other.
  os::full_fence();
  // In a header that was written over, 0 need not mean that it's awake.
  const bool is_sound = header().magic == Header::right_magic;
  if (is_sound && asleep.load(std::memory_order_seq_cst) == 0) return;
  if (asleep.exchange(0, std::memory_order_seq_cst) != 0 || !is_sound) {
    os::futex_wake(&asleep, 1, os::Sharing::between_processes);
  }
}

// What the oldest task's word says.
ParentEnd::Oldest ParentEnd::oldest_by(std::uint64_t word) const noexcept {
  if (generation_of(word) != head_ || scribbled_) return Oldest::impossible;
  const Note& note = notes_[head_ & (geometry_.slots - 1)];
  switch (state_of(word)) {
    case State::queued:
    case State::claimed: return Oldest::open;
    case State::done: return Oldest::answered;
    case State::free: return note.revoked ? Oldest::passed : Oldest::impossible;
    case State::revoked: return note.revoked ? Oldest::open : Oldest::impossible;
    case State::condemned: return note.condemned ? Oldest::open : Oldest::impossible;
  }
  return Oldest::impossible;
}

bool ParentEnd::take(Answer& answer) {
  if (head_ == tail_) return false;
  const std::uint64_t word = slot(head_).word.load(std::memory_order_acquire);
  if (outstanding() > soon) __builtin_prefetch(&slot(head_ + soon).word);
  answer.position = head_;
  switch (oldest_by(word)) {
    case Oldest::open: return false;
    case Oldest::answered: read_answer(head_, true, answer); break;
    case Oldest::passed: break;
    case Oldest::impossible: call_impossible(answer); break;
  }
  return true;
}

std::optional<Answer> ParentEnd::take_dead() {
  if (head_ == tail_) return std::nullopt;
  const std::uint64_t word = slot(head_).word.load(std::memory_order_acquire);
  if (generation_of(word) != head_) return empty_answer(true);
  switch (state_of(word)) {
    case State::done:
    case State::claimed:
    case State::condemned:
      if (scribbled_) return empty_answer(true);
      return read_answer(head_, state_of(word) == State::done);
    case State::queued:
    case State::free:
    case State::revoked: return empty_answer(false);
  }
  return empty_answer(true);
}

Answer ParentEnd::empty_answer(bool impossible) {
  Answer answer;
  answer.position = head_;
  if (impossible) call_impossible(answer);
  return answer;
}

void ParentEnd::call_impossible(Answer& answer) noexcept {
  answer.impossible = true;
  scribbled_ = true;
}

// Into one that is new.
void ParentEnd::read_answer(std::uint64_t position, bool done, Answer& answer) {
  Slot& from = slot(position);
  const Note& note = notes_[position & (geometry_.slots - 1)];
  answer.position = position;
  answer.done = done;
  answer.claimed = true;
  if (outstanding() <= soon) __builtin_prefetch(lane_.data() + note.answer_begin);
  // Pairs with the release in the worker's end of an item: the values before it
  // are complete.
  const std::uint64_t ended = from.ended.load(std::memory_order_acquire);
  const std::uint64_t begun = from.begun.load(std::memory_order_acquire) & ~begun_marks;
  const std::uint64_t values = from.answer_end.load(std::memory_order_relaxed);
  answer.run_nanoseconds = read_once(from.run_nanoseconds);
  answer.began = from.item_since.load(std::memory_order_relaxed);
  if (ended > note.count || begun > note.count || begun < ended || values > note.answer_room) {
    return call_impossible(answer);
  }
  answer.begun = static_cast<std::size_t>(begun);
  answer.ended = static_cast<std::size_t>(ended);
  answer.values = {lane_.data() + note.answer_begin, static_cast<std::size_t>(values)};
  if (note.is_bundle && !read_value_ends(from, answer)) return call_impossible(answer);
  if (done) read_trailer(from, answer);
}

void ParentEnd::read_trailer(const Slot& from, Answer& answer) {
  const Note& note = notes_[answer.position & (geometry_.slots - 1)];
  const Trailer kind = read_once(from.trailer);
  const std::uint64_t size = read_once(from.trailer_size);
  const std::uint32_t sent = read_once(from.trailer_outside) & (bytes_outside | memory_enclosed);
  // Without one it has run to its end: to give the rest away would run it twice.
  if (kind == Trailer::none && answer.ended == note.count) return;
  if (kind == Trailer::rest && answer.ended != 0 && answer.ended < note.count) return;
  if (kind == Trailer::rest && note.is_cut && answer.ended == note.count) return;
  if ((kind != Trailer::exception && kind != Trailer::value) || answer.ended >= note.count) {
    return call_impossible(answer);
  }
  answer.trailer = kind;
  if (sent != 0) receive_outside(answer, static_cast<std::size_t>(size), sent);
  if ((sent & bytes_outside) != 0 || answer.impossible || answer.unreadable) return;
  const std::size_t begin = rounded_up(answer.values.size(), 16);
  if (begin > note.answer_room || size > note.answer_room - begin) {
    return call_impossible(answer);
  }
  answer.trailer_bytes = {lane_.data() + note.answer_begin + begin, static_cast<std::size_t>(size)};
  if (sent == 0) return;
  // With what they refer to they are kept until somebody decodes them.
  const auto copy = std::make_shared<std::byte[]>(answer.trailer_bytes.size());
  std::copy(answer.trailer_bytes.begin(), answer.trailer_bytes.end(), copy.get());
  answer.outside = {copy, copy.get()};
  answer.trailer_bytes = {answer.outside.get(), static_cast<std::size_t>(size)};
}

bool ParentEnd::release(const Answer& answer) noexcept {
  Note& note = notes_[answer.position & (geometry_.slots - 1)];
  if (note.block_size != 0) blocks_.pop_front();
  if (note.has_outside) --outside_requests_;
  const bool is_large = answer.is_passing || (answer.outside && (copies_ || borrowed_));
  const bool keeps_memory = note.kept >= 0 || note.request || is_large;
  if (note.kept >= 0) kept_is_used_[static_cast<std::size_t>(note.kept)] = false;
  note = Note{};
  // Publishes that its memory may be used again; pairs with the acquire in AnswerStore.
  if (answer.outside || answer.is_passing)
    header().answer_taken.store(head_, std::memory_order_release);
  ++head_;
  return keeps_memory;
}

bool ParentEnd::is_done(std::uint64_t position) const noexcept {
  const std::uint64_t word = slot(position).word.load(std::memory_order_acquire);
  return generation_of(word) == position && state_of(word) == State::done;
}

bool ParentEnd::is_claimed(std::uint64_t position) const noexcept {
  const std::uint64_t word = slot(position).word.load(std::memory_order_acquire);
  return generation_of(word) == position && state_of(word) == State::claimed;
}

bool ParentEnd::move(std::uint64_t position, State from, State to) noexcept {
  auto& place = slot(position).word;
  std::uint64_t word = place.load(std::memory_order_acquire);
  while (generation_of(word) == position && state_of(word) == from) {
    // seq_cst as all moves are: they are rare, and easier to reason about so.
    if (place.compare_exchange_weak(word, with_state(word, to))) return true;
  }
  return false;
}

bool ParentEnd::revoke(std::uint64_t position) noexcept {
  const bool won = move(position, State::queued, State::revoked);
  if (won) notes_[position & (geometry_.slots - 1)].revoked = true;
  return won;
}

bool ParentEnd::condemn(std::uint64_t position) noexcept {
  const bool won = move(position, State::claimed, State::condemned);
  if (won) notes_[position & (geometry_.slots - 1)].condemned = true;
  return won;
}

bool ParentEnd::condemn_item(std::uint64_t position, std::uint64_t begun) noexcept {
  if (!is_claimed(position)) return false;
  // The worker goes on to its next item, or to the end, only by a
  // compare-and-swap on `begun`, which it now loses: it's ours to kill.
  if (!slot(position).begun.compare_exchange_strong(begun, begun | condemned_item_bit)) {
    return false;
  }
  return condemn(position);
}

std::optional<ParentEnd::Running> ParentEnd::running_item(std::uint64_t position) const noexcept {
  if (!is_claimed(position)) return std::nullopt;
  const Slot& from = slot(position);
  const std::uint64_t begun = from.begun.load(std::memory_order_acquire);
  const std::int64_t since = from.item_since.load(std::memory_order_acquire);
  if (begun == 0 || since == 0) return std::nullopt;
  if ((begun & (condemned_item_bit | finished_items_bit)) != 0) return std::nullopt;
  // Still the same item: its time is not another's.
  if (from.begun.load(std::memory_order_acquire) != begun) return std::nullopt;
  return Running{begun, since};
}

void ParentEnd::ask_to_stop(std::uint64_t position) noexcept {
  slot(position).stop.store(position, std::memory_order_release);
}

bool ParentEnd::set_bell(std::uint64_t position) noexcept {
  Note& note = notes_[position & (geometry_.slots - 1)];
  if (note.rings) return true;
  auto& place = slot(position).word;
  std::uint64_t word = place.load(std::memory_order_acquire);
  while (is_open_word(word, position)) {
    note.rings = place.compare_exchange_weak(word, word | bell_bit);
    if (note.rings) return true;
  }
  return false;
}

std::optional<os::FutexWaiter> ParentEnd::mark_waiter(std::uint64_t position) noexcept {
  auto& place = slot(position).word;
  std::uint64_t word = place.load(std::memory_order_acquire);
  while (is_open_word(word, position)) {
    const std::uint64_t marked = word | waiter_bit;
    if (word == marked || place.compare_exchange_weak(word, marked)) {
      return os::FutexWaiter{low_half(place), static_cast<std::uint32_t>(marked),
                             os::Sharing::between_processes};
    }
  }
  // Else the caller would ask for ever.
  if (generation_of(word) != position) scribbled_ = true;
  return std::nullopt;
}

bool ParentEnd::is_open(std::uint64_t position) const noexcept {
  return is_open_word(slot(position).word.load(std::memory_order_acquire), position);
}

void ParentEnd::wake_waiters(std::uint64_t position) noexcept {
  os::futex_wake(low_half(slot(position).word), most_sleepers, os::Sharing::between_processes);
}

void ParentEnd::abandon(std::uint64_t position) noexcept {
  slot(position).word.store(make_word(position + geometry_.slots, State::free),
                            std::memory_order_seq_cst);
  wake_waiters(position);
}

void ParentEnd::close() noexcept {
  header().closing.store(1, std::memory_order_seq_cst);
  wake();
}

bool ParentEnd::ring_when_idle(bool wanted) noexcept {
  if (wanted != rings_when_idle_) {
    rings_when_idle_ = wanted;
    header().ring_when_idle.store(wanted ? 1 : 0, std::memory_order_seq_cst);
  }
  return !wanted || header().asleep.load(std::memory_order_seq_cst) == 0;
}

ParentEnd::Neighbour ParentEnd::neighbour() noexcept {
  const bool is_here = header().cpu.load(std::memory_order_relaxed) == os::current_cpu();
  const bool was_here = std::exchange(was_here_, is_here);
  if (is_here) return Neighbour::here;
  return was_here ? Neighbour::gone_elsewhere : Neighbour::elsewhere;
}

void ParentEnd::let_spin(bool wanted) noexcept {
  if (wanted == may_spin_) return;
  may_spin_ = wanted;
  header().sleep_at_once.store(wanted ? 0 : 1, std::memory_order_relaxed);
}

}  // namespace brood::lane
