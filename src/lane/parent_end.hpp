// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <brood/wire/code_ref.hpp>
#include <brood/wire/reader.hpp>

#include "lane/borrowed_memory.hpp"
#include "lane/copy_store.hpp"
#include "lane/kept_mappings.hpp"
#include "lane/layout.hpp"
#include "lane/outside.hpp"
#include "os/futex.hpp"
#include "os/large_blocks.hpp"
#include "os/memory.hpp"
#include "os/unique_fd.hpp"

namespace brood::lane {

// What the parent puts into a slot. As with an answer and a claim, the constructor is there
// so that its members are set and nothing is cleared before: that takes 10 ns.
struct Parcel {
  Parcel() noexcept {}
  wire::CodeRef code;
  std::uint64_t job = 0;
  std::uint64_t sequence = 0;
  std::uint64_t first_item = 0;
  std::uint32_t count = 1;
  std::span<const std::byte> callable;
  std::span<const std::byte> items;
  std::size_t answer_room = 0;
  bool guarded = false;
  bool bell = false;
  // The caller looks out for its end, and takes its time: see `untold`. Not of a guarded one.
  bool seen = false;
};

// One of the calls that share a slot.
struct BundledRequest {
  std::uint64_t job = 0;
  std::span<const std::byte> callable;
};

// What the parent takes out of one, checked: offsets lie inside, counts are
// possible. The bytes are still the worker's to scribble on.
struct Answer {
  Answer() noexcept {}
  std::uint64_t position = 0;
  bool done = false;      // the worker finished; else it died or was condemned
  bool claimed = false;   // it had begun with the task
  std::size_t begun = 0;  // items begun
  std::size_t ended = 0;  // items with values
  std::span<const std::byte> values;
  // Of a bundle: where each of them ends there. Those of `ended` calls are set.
  std::array<std::uint32_t, most_bundled> value_ends{};
  Trailer trailer = Trailer::none;
  std::span<const std::byte> trailer_bytes;
  // What trailer_bytes lie in, when not in the lane; nobody writes there any more.
  std::shared_ptr<const std::byte> outside;
  // Whether they lie in memory of the worker's, which it may write to again once the answer
  // is released; see ParentEnd::lasting_copy.
  bool is_passing = false;
  wire::Enclosed enclosed;  // what the value refers to; there's an `outside` then
  std::uint64_t run_nanoseconds = 0;
  std::int64_t began = 0;         // where that is untold
  bool impossible = false;        // the worker has scribbled over its lane
  std::exception_ptr unreadable;  // why there are no trailer_bytes, though they were sent
};

// The program's end of a lane.
//
// Safety: guarded by its owner's lock, but for `wake`, `ring_...` and what is
// said to be otherwise. The worker may write anything anywhere at any time.
// Survives: the worker's death at any instant; see `take_dead`.
class ParentEnd {
 public:
  struct KeptMemory {
    // One that the worker reads while the next is filled.
    std::array<RequestMemory, 2> requests;
    KeptMappings::Kept answers;
    CopyStore::Spares copies;
    BorrowedMemory::Spares views;
  };

  explicit ParentEnd(const Geometry& geometry);
  ~ParentEnd();

  // For the worker: the lane and its side of the channel. Closed by
  // `worker_has_them`.
  int memory() const noexcept { return memory_.get(); }
  int worker_channel() const noexcept { return worker_channel_.get(); }
  void worker_has_them() noexcept;
  // For a worker that is a thread of this process.
  std::byte* data() const noexcept { return lane_.data(); }

  // --- giving ---

  // Queues a task, unless the lane is full; nothing then. Its position otherwise.
  // A request that exceeds the arena travels in memory of its own.
  std::optional<std::uint64_t> give(const Parcel& parcel);
  // The same with calls of one function, all in one slot. Requires: no more of them than
  // most_bundled, of no more bundled_size() in all than inline_size.
  std::optional<std::uint64_t> give_bundle(wire::CodeRef code,
                                           std::span<const BundledRequest> calls);
  // Wakes the worker if it sleeps. After `give`, with no lock held.
  void wake() noexcept;

  // Whether the worker sleeps, or is about to. A hint.
  bool is_asleep() const noexcept { return header().asleep.load(std::memory_order_relaxed) != 0; }

  // Tasks given and not taken out.
  std::size_t outstanding() const noexcept { return static_cast<std::size_t>(tail_ - head_); }
  std::uint64_t oldest() const noexcept { return head_; }
  std::uint64_t newest() const noexcept { return tail_ - 1; }
  std::uint64_t next() const noexcept { return tail_; }
  // Of a task that is outstanding, by the low half of its position.
  std::uint64_t position_of(std::uint32_t low_half) const noexcept {
    return head_ + (low_half - static_cast<std::uint32_t>(head_));
  }
  const Geometry& geometry() const noexcept { return geometry_; }

  // --- taking ---

  // The oldest task's answer, into a new one; false where it's not there. Revoked tasks are
  // passed over and reported as not done with nothing begun. The views hold until `release`.
  bool take(Answer& answer);
  std::optional<Answer> take() {
    std::optional<Answer> answer(std::in_place);
    if (!take(*answer)) answer.reset();
    return answer;
  }
  // The oldest task of a worker that is dead, in whatever state it left it.
  std::optional<Answer> take_dead();
  // Of an answer that is passing: its trailer's bytes, for as long as they're wanted.
  // Throws: SystemError, std::bad_alloc.
  std::shared_ptr<const std::byte> lasting_copy(const Answer& answer);
  // After take: the slot and its bytes may be used again. True when the request or the
  // answer was a large one, whose memory is kept for the next.
  bool release(const Answer& answer) noexcept;

  // Whether memory of large ones is kept for the next; all of it that nobody needs now.
  bool keeps_memory() const noexcept;
  KeptMemory take_unused_memory() noexcept;

  // --- in between ---

  bool is_done(std::uint64_t position) const noexcept;
  bool is_claimed(std::uint64_t position) const noexcept;
  // queued -> revoked. False: it's claimed or done already.
  bool revoke(std::uint64_t position) noexcept;
  // claimed -> condemned. False: it's done, or not begun.
  bool condemn(std::uint64_t position) noexcept;
  // The same for the item of a guarded task that began at `since`.
  bool condemn_item(std::uint64_t position, std::uint64_t begun) noexcept;
  // What a condemned task's worker had finished.
  Answer peek_condemned(std::uint64_t position) { return read_answer(position, false); }
  struct Running {
    std::uint64_t begun;
    std::int64_t since;
  };
  // The item that a claimed guarded task is at; nothing when it's at none.
  std::optional<Running> running_item(std::uint64_t position) const noexcept;
  void ask_to_stop(std::uint64_t position) noexcept;
  // How many calls of a bundle were begun: a hint, by the worker.
  std::uint64_t begun(std::uint64_t position) const noexcept;
  // The worker of a claimed bundle begins none of its calls any more. How many it keeps,
  // the last of which may be running; nothing when it isn't at it, or has scribbled.
  std::optional<std::size_t> cut(std::uint64_t position) noexcept;
  // What a claimed bundle has finished so far.
  Answer peek_bundle(std::uint64_t position) { return read_answer(position, false); }
  // Something here can't be what an honest worker wrote: from now on every answer
  // is impossible.
  void call_scribbled() noexcept { scribbled_ = true; }
  bool is_scribbled() const noexcept { return scribbled_ || header().magic != Header::right_magic; }
  // Rings the supervisor when the task is done. False: it's done already.
  bool set_bell(std::uint64_t position) noexcept;
  // Something to sleep on until the task is done. Nothing: it's done already.
  std::optional<os::FutexWaiter> mark_waiter(std::uint64_t position) noexcept;
  // The worker has yet to finish or pass it.
  // Safety: without the lock, as long as the lane lives.
  bool is_open(std::uint64_t position) const noexcept;
  // Wakes all that sleep on the task's word, whatever its state.
  void wake_waiters(std::uint64_t position) noexcept;

  // After the worker's death: the task's word changes, so that nobody falls
  // asleep on it any more, and who sleeps there is woken.
  void abandon(std::uint64_t position) noexcept;

  // --- the worker as a whole ---
  void close() noexcept;  // no more tasks come
  // Whether it rings before it falls asleep. False when it may sleep and not know of it.
  bool ring_when_idle(bool wanted) noexcept;
  // Whether it may look for more for a moment before it falls asleep. A hint.
  void let_spin(bool wanted) noexcept;
  // Where it was when it last woke, seen from the calling thread's CPU: here, the two can't
  // both be awake, and whoever looks for the other waits in vain. A hint.
  enum class Neighbour { here, elsewhere, gone_elsewhere };
  Neighbour neighbour() noexcept;
  // What the worker says of its start; once it has started, no more than that.
  Startup startup() noexcept;
  // Cheap, and to be asked first: most never fail.
  bool may_have_failed_to_start() const noexcept;
  std::vector<std::byte> startup_failure() const;
  // What the worker tells of its end.
  os::CrashRecord& crash_record() const noexcept { return header().crash; }

 private:
  Header& header() const noexcept { return *reinterpret_cast<Header*>(lane_.data()); }
  Slot& slot(std::uint64_t position) const noexcept {
    return slots_[position & (geometry_.slots - 1)];
  }
  // What the parent itself knows of a slot, whatever the worker writes there.
  struct Note {
    std::size_t block_size = 0;  // 0: in the slot itself
    std::size_t answer_begin = 0;
    std::size_t answer_room = 0;
    std::uint32_t count = 0;
    bool has_outside = false;
    bool is_bundle = false;
    bool is_cut = false;     // by us; `count` is what it kept
    std::int8_t kept = -1;   // which of the kept memory its request lies in
    bool revoked = false;    // by us; so the other states say
    bool condemned = false;  // likewise
    bool rings = false;      // its bell bit is set, or the bell has rung
    os::HeldBlock request;   // where it lies as it was written
  };

  void fill(Slot& to, const Parcel& parcel, std::size_t begin, const Note& note);
  void send_outside(std::uint64_t position, const Parcel& parcel, std::size_t items_begin,
                    Note& note);
  enum class Oldest { open, answered, passed, impossible };
  Oldest oldest_by(std::uint64_t word) const noexcept;
  std::optional<std::size_t> find_room(std::size_t size) noexcept;
  void read_answer(std::uint64_t position, bool done, Answer& answer);
  Answer read_answer(std::uint64_t position, bool done) {
    Answer answer;
    read_answer(position, done, answer);
    return answer;
  }
  bool read_value_ends(const Slot& from, Answer& answer) const noexcept;
  Answer empty_answer(bool impossible);
  void call_impossible(Answer& answer) noexcept;
  void read_trailer(const Slot& from, Answer& answer);
  void take_over(Answer& answer, int memory, std::size_t size, bool is_to_last);
  std::shared_ptr<std::byte> room_for_copy(std::size_t size);
  void receive_outside(Answer& answer, std::size_t size, std::uint32_t what);
  bool move(std::uint64_t position, State from, State to) noexcept;

  Geometry geometry_;
  os::UniqueFd memory_;
  os::Mapping lane_;
  Slot* slots_;
  os::UniqueFd channel_;
  os::UniqueFd worker_channel_;
  std::vector<Note> notes_;
  std::uint64_t tail_ = 0;  // where the next task goes
  std::uint64_t head_ = 0;  // the oldest not taken out
  bool rings_when_idle_ = false;
  bool may_spin_ = true;
  bool was_here_ = false;  // as neighbour() said last
  bool has_started_ = false;
  bool scribbled_ = false;
  struct Block {
    std::size_t begin;
    std::size_t size;
  };
  // The arena is a ring of blocks, given and released in the order of their tasks.
  std::deque<Block> blocks_;
  std::size_t outside_requests_ = 0;
  std::array<RequestMemory, 2> kept_;
  std::array<bool, 2> kept_is_used_{};
  KeptMappings answers_{KeptMappings::InForks::no};
  std::shared_ptr<CopyStore> copies_;         // from the first large answer on
  std::shared_ptr<BorrowedMemory> borrowed_;  // from the first View on
};

}  // namespace brood::lane
