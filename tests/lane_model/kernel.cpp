// SPDX-License-Identifier: MIT
#include "kernel.hpp"

#include <cstdlib>

#include "explorer.hpp"
#include "os/channel.hpp"
#include "os/futex.hpp"
#include "os/memory.hpp"
#include "os/place.hpp"
#include "os/poller.hpp"
#include "races.hpp"
#include "shared_memory.hpp"
#include "words.hpp"

namespace brood::model {
namespace {

const void* shared_words[16];
std::size_t shared_word_count = 0;
std::uint64_t moves[most_fibers];
bool only_moves[most_fibers];

std::uint32_t value_of(const void* word) {
  return __atomic_load_n(static_cast<const std::uint32_t*>(word), __ATOMIC_SEQ_CST);
}

Kernel the_kernel;

}  // namespace

void share_word(const void* at) noexcept {
  if (shared_word_count == std::size(shared_words)) std::abort();
  shared_words[shared_word_count++] = at;
}

bool is_shared_word(const void* at) noexcept {
  for (std::size_t i = 0; i < shared_word_count; ++i) {
    if (shared_words[i] == at) return true;
  }
  return false;
}

void note_move(const void* word, std::uint64_t value) noexcept {
  const unsigned self = explorer().running();
  if (self >= most_fibers) return;
  moves[self] = mix(mix(moves[self], reinterpret_cast<std::uintptr_t>(word)), value);
  if (only_moves[self]) explorer().know_only(moves[self]);
}

void only_moves_matter(unsigned fiber) noexcept { only_moves[fiber] = true; }

std::uint64_t moves_so_far() noexcept { return moves[explorer().running()]; }

Kernel& kernel() noexcept { return the_kernel; }

void Kernel::reset() noexcept {
  for (Sleeper& sleeper : sleepers_) sleeper = {};
  for (auto& sum : moves) sum = 0;
  for (auto& only : only_moves) only = false;
  lanes_made_ = 0;
  rung_ = false;
  shared_word_count = 0;
  shared_memory().reset();
}

Hash Kernel::state() const noexcept {
  Hash sum = mix(shared_memory().sum(), rung_ ? 1 : 0);
  for (const Sleeper& sleeper : sleepers_) {
    sum = mix(sum, sleeper.woken ? 1 : 0);
    for (unsigned i = 0; i < sleeper.count; ++i) {
      sum = mix(sum, reinterpret_cast<std::uintptr_t>(sleeper.words[i]));
    }
  }
  return sum;
}

std::string Kernel::who_sleeps() const {
  std::string text;
  for (unsigned i = 0; i < explorer().fiber_count(); ++i) {
    if (explorer().is_over(i)) continue;
    if (!text.empty()) text += ", ";
    text += explorer().name(i);
    text += sleepers_[i].count != 0 ? " on a word" : " elsewhere";
  }
  return text;
}

void Kernel::wait(const Place* places, unsigned count) {
  if (count > most_places) std::abort();
  // The kernel compares all of them and queues the thread as one step.
  explorer().step({"goes to sleep", places[0].word});
  for (unsigned i = 0; i < count; ++i) {
    const std::uint32_t value = value_of(places[i].word);
    explorer().learn(value);
    if (value != places[i].expected) return explorer().remark({"does not sleep", places[i].word});
  }
  Sleeper& self = sleepers_[explorer().running()];
  for (unsigned i = 0; i < count; ++i) {
    self.words[i] = places[i].word;
    explorer().remark({"sleeps on", places[i].word, places[i].expected});
  }
  self.count = count;
  self.woken = false;
  explorer().sleep_until([&self] { return self.woken; });
  self = {};
}

void Kernel::wake(const void* word, int sleepers) {
  explorer().step({"wakes", word});
  explorer().remark({"wakes", word});
  for (Sleeper& sleeper : sleepers_) {
    if (sleepers == 0) return;
    bool meant = false;
    for (unsigned i = 0; i < sleeper.count; ++i) meant |= sleeper.words[i] == word;
    if (!meant || sleeper.woken) continue;
    sleeper.woken = true;
    --sleepers;
  }
}

}  // namespace brood::model

// --- in place of src/os ---

namespace brood::os {
namespace {

// What does not fit into a lane is not part of any world here.
[[noreturn]] void outside() { std::abort(); }

}  // namespace

// Each side has a CPU of its own.
int current_cpu() noexcept { return static_cast<int>(model::explorer().running()); }
void avoid_cpus(const std::vector<int>&, ThreadNumber) { outside(); }

bool futex_wait(FutexWord& word, std::uint32_t expected, const Deadline&, Sharing) {
  const model::Kernel::Place place{&word, expected};
  model::kernel().wait(&place, 1);
  // Only workers sleep here; when they wake they begin anew.
  model::explorer().know_only(model::moves_so_far());
  return true;
}

bool futex_wait_any(const FutexWaiter* waiters, unsigned count, const Deadline&) {
  model::Kernel::Place places[8];
  if (count > std::size(places)) outside();
  for (unsigned i = 0; i < count; ++i) places[i] = {waiters[i].word, waiters[i].expected};
  model::kernel().wait(places, count);
  return true;
}

bool has_futex_wait_any() noexcept { return true; }

void futex_wake(const void* word, int sleepers, Sharing) noexcept {
  model::kernel().wake(word, sleepers);
}

void Tally::add(int, std::uint64_t) noexcept {
  model::explorer().step({"rings", nullptr});
  model::explorer().remark({"rings", nullptr});
  model::kernel().ring();
}

UniqueFd make_memory(const char*, std::size_t size) {
  if (size > model::SharedMemory::lane_size) outside();
  return UniqueFd();
}
Mapping map_shared(int, std::size_t size) {
  return {model::shared_memory().lane(static_cast<std::size_t>(model::kernel().next_lane())), size};
}
Mapping::~Mapping() {}
void Mapping::not_in_forks() const noexcept {}
void Mapping::not_in_dumps(std::size_t) const noexcept {}
std::pair<UniqueFd, UniqueFd> make_channel() { return {}; }

Mapping map_read_only(int, std::size_t) { outside(); }
Mapping map_private(std::size_t) { outside(); }
UniqueFd make_growing_memory(const char*) { outside(); }
void write_memory(int, std::size_t, std::span<const std::byte>) { outside(); }
void read_memory(int, std::span<std::byte>) { outside(); }
void resize_memory(int, std::size_t) { outside(); }
void seal_contents(int) { outside(); }
std::size_t memory_size(int) { outside(); }
bool is_sealed_against_shrinking(int) noexcept { outside(); }
bool is_sealed_against_writing(int) noexcept { outside(); }
std::optional<SealedMemory> open_sealed(UniqueFd, Seal) { outside(); }
std::uint64_t memory_number(int) { outside(); }
UniqueFd copy_to_memory(const char*, std::span<const std::byte>) { outside(); }
bool send_message(int, std::span<const std::byte>, std::span<const int>) { outside(); }
std::optional<Received> receive_message(int, std::span<std::byte>, const Deadline&) { outside(); }
SystemError no_descriptor_left(const std::string&) { outside(); }

}  // namespace brood::os
