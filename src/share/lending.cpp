// SPDX-License-Identifier: MIT
#include "share/lending.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <random>
#include <utility>

#include <brood/base/large_memory.hpp>

#include "os/clone.hpp"
#include "os/thread_list.hpp"

namespace brood::detail {

// The memory that a process lends.
//
// Safety: from many threads at once. A copy of the process lends nothing.
class Lender {
 public:
  explicit Lender(std::span<std::atomic<std::uint64_t>> returned) noexcept : returned_(returned) {}

  // With `bytes` in it, or else opened.
  std::shared_ptr<LendableMemory> take(std::size_t size, const std::byte* bytes) {
    if (size > largest_kept || process_ != os::current_process_id()) return nullptr;
    if (const auto kept = held(take_free(size))) {
      kept->open();
      if (bytes) std::memcpy(kept->mapping().data(), bytes, size);
      if (bytes) kept->close();
      return kept;
    }
    const auto made = held(make(size, bytes));
    if (made && bytes) made->close();
    return made;
  }

  // Nothing comes back any more.
  void stop() noexcept {
    const std::lock_guard lock(mutex_);
    returned_ = {};
  }

  bool keeps_any() const noexcept { return keeps_any_.load(std::memory_order_relaxed); }

  void forget() noexcept {
    Places dropped;
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (places_[i] && !is_held(*places_[i])) dropped[i] = std::move(places_[i]);
    }
    note_kept();
  }

 private:
  // The program looks at one while others are filled.
  static constexpr std::size_t most_kept = 4;
  static constexpr std::size_t largest_kept = std::size_t{128} << 20;
  using Places = std::array<std::shared_ptr<LendableMemory>, most_kept>;

  // Requires: it's marked as held, or null.
  static std::shared_ptr<LendableMemory> held(const std::shared_ptr<LendableMemory>& memory) {
    if (!memory) return nullptr;
    return {memory.get(), [memory](LendableMemory* it) {
              // Pairs with the acquire in is_held: its readers are done.
              it->is_held_.store(false, std::memory_order_release);
            }};
  }
  static bool is_held(const LendableMemory& memory) noexcept {
    return memory.is_held_.load(std::memory_order_acquire);
  }
  static bool is_free(const LendableMemory& memory) noexcept {
    return !is_held(memory) && !memory.is_given_.load(std::memory_order_relaxed) &&
           memory.ticket_.load(std::memory_order_relaxed) == 0 &&
           memory.copies_before_ == os::copies_made();
  }

  // Requires: mutex_ is held, as all below. Survives: anything that a task writes into the
  // words: no number that it can think of is a ticket.
  void take_back() noexcept {
    for (std::atomic<std::uint64_t>& word : returned_) {
      // Pairs with the release of who borrowed it: its readers are done.
      const std::uint64_t ticket = word.load(std::memory_order_acquire);
      if (ticket == 0) continue;
      for (const auto& place : places_) {
        if (place && place->ticket_.load(std::memory_order_relaxed) == ticket) {
          place->ticket_.store(0, std::memory_order_relaxed);
        }
      }
      word.store(0, std::memory_order_relaxed);
    }
  }

  std::shared_ptr<LendableMemory> take_free(std::size_t size) {
    const std::lock_guard lock(mutex_);
    take_back();
    for (auto& place : places_) {
      if (!place || !place->mapping().suits(size) || !is_free(*place)) continue;
      place->is_held_.store(true, std::memory_order_relaxed);
      return renew(place);
    }
    return nullptr;
  }

  // The last to be dropped stands last.
  const std::shared_ptr<LendableMemory>& renew(std::shared_ptr<LendableMemory>& place) noexcept {
    std::rotate(&place, &place + 1, places_.data() + places_.size());
    return places_.back();
  }

  // Written before it's mapped, which is faster: no page faults. Null where the kernel can't
  // keep others from writing there.
  std::shared_ptr<LendableMemory> make(std::size_t size, const std::byte* bytes) {
    os::UniqueFd memory = os::make_growing_memory(block_name);
    os::resize_memory(memory.get(), size);
    if (bytes) os::write_memory(memory.get(), 0, {bytes, size});
    os::Mapping mapping = os::map_shared(memory.get(), size);
    mapping.not_in_forks();
    mapping.not_in_dumps(0);
    if (!os::seal_but_for_mappings(memory.get())) return nullptr;
    if (!bytes) expect_to_be_filled(mapping.data(), size);
    auto made = std::make_shared<LendableMemory>(std::move(memory), std::move(mapping));
    std::shared_ptr<LendableMemory> dropped;
    const std::lock_guard lock(mutex_);
    if (auto* const place = unneeded_place()) {
      dropped = std::exchange(*place, made);
      renew(*place);
      note_kept();
    }
    return made;
  }

  // An empty one; else one that nobody here refers to. Who borrowed that keeps it.
  std::shared_ptr<LendableMemory>* unneeded_place() noexcept {
    auto found = std::find(places_.begin(), places_.end(), nullptr);
    if (found == places_.end()) {
      found = std::find_if(places_.begin(), places_.end(),
                           [](const auto& place) { return !is_held(*place); });
    }
    return found == places_.end() ? nullptr : &*found;
  }

  void note_kept() noexcept {
    const bool any = std::any_of(places_.begin(), places_.end(),
                                 [](const auto& place) { return place != nullptr; });
    keeps_any_.store(any, std::memory_order_relaxed);
  }

  const int process_ = os::current_process_id();
  std::mutex mutex_;
  // Guarded by mutex_.
  std::span<std::atomic<std::uint64_t>> returned_;
  Places places_;
  std::atomic<bool> keeps_any_{false};
};

namespace {

// Never destroyed: a View may be made at the very end. Null in most processes.
constinit std::atomic<Lender*> lending{nullptr};

std::shared_ptr<LendableMemory> take(std::size_t size, const std::byte* bytes) {
  Lender* const mine = lending.load(std::memory_order_acquire);
  return mine ? mine->take(size, bytes) : nullptr;
}

// Nobody guesses it, or writes it by mistake.
std::uint64_t new_ticket() {
  std::random_device random;
  const std::uint64_t high = random();
  return ((high << 32) | random()) | 1;
}

}  // namespace

void LendableMemory::open() {
  was_filled_ = true;
  mapping_.not_in_forks();
  mapping_.let_write(true);
}

void LendableMemory::close() {
  mapping_.let_write(false);
  mapping_.in_forks();
  copies_before_ = os::copies_made();
}

std::uint64_t LendableMemory::lend() {
  std::uint64_t here = 0;
  const std::uint64_t ticket = new_ticket();
  if (is_given_.load(std::memory_order_relaxed)) return 0;
  if (ticket_.compare_exchange_strong(here, ticket, std::memory_order_relaxed)) return ticket;
  give_for_good();
  return 0;
}

// There may be one already, of the process that this one is a copy of: its memory is not ours.
ViewLending::ViewLending(std::span<std::atomic<std::uint64_t>> returned) {
  lending.store(new Lender(returned), std::memory_order_release);
}
ViewLending::~ViewLending() { lending.load(std::memory_order_acquire)->stop(); }

std::shared_ptr<LendableMemory> lendable_memory(std::size_t size) { return take(size, nullptr); }

std::shared_ptr<LendableMemory> lendable_copy(std::span<const std::byte> bytes) {
  return take(bytes.size(), bytes.data());
}

bool keeps_lendable_memory() noexcept {
  const Lender* const mine = lending.load(std::memory_order_acquire);
  return mine && mine->keeps_any();
}

void forget_lendable_memory() noexcept {
  if (Lender* const mine = lending.load(std::memory_order_acquire)) mine->forget();
}

}  // namespace brood::detail
