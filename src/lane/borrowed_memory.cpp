// SPDX-License-Identifier: MIT
#include "lane/borrowed_memory.hpp"

#include <algorithm>
#include <utility>

#include "lane/layout.hpp"
#include "os/clone.hpp"
#include "os/thread_list.hpp"

namespace brood::lane {

BorrowedMemory::BorrowedMemory(std::span<std::atomic<std::uint64_t>> returned) noexcept
    : process_(os::current_process_id()), returned_(returned) {}

std::optional<os::SealedMemory> BorrowedMemory::borrow(os::UniqueFd memory) {
  if (os::is_sealed_against_writing(memory.get())) return os::open_sealed(std::move(memory));
  const std::uint64_t number = os::memory_number(memory.get());
  std::optional<os::SealedMemory> found;
  {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    const auto kept = std::find_if(kept_.begin(), kept_.end(),
                                   [&](const auto& it) { return it.number == number; });
    if (kept != kept_.end()) found = std::exchange(*kept, {});
  }
  if (!found) found = os::open_sealed(std::move(memory), os::Seal::but_for_mappings);
  if (found) {
    found->number = number;
    found->loan = {shared_from_this(), os::copies_made()};
  }
  return found;
}

// Survives: anything that the worker writes into `returned`: no more comes back then.
void BorrowedMemory::take_back(os::SealedMemory memory, std::uint64_t ticket) noexcept {
  const std::lock_guard lock(mutex_);
  if (is_open_ && memory.mapping.size() <= largest_kept) {
    // In the place of the one that was not asked for the longest.
    std::swap(kept_.front(), memory);
    std::rotate(kept_.begin(), kept_.begin() + 1, kept_.end());
  }
  for (std::atomic<std::uint64_t>& word : returned_) {
    std::uint64_t none = 0;
    // Publishes that its readers are done; pairs with the acquire of who lent it.
    if (word.compare_exchange_strong(none, ticket, std::memory_order_release)) return;
  }
}

bool BorrowedMemory::may_keep() noexcept {
  const std::lock_guard lock(mutex_);
  return is_open_;
}

BorrowedMemory::Spares BorrowedMemory::forget() noexcept {
  const std::lock_guard lock(mutex_);
  is_open_ = false;
  return std::exchange(kept_, {});
}

void BorrowedMemory::close() noexcept {
  // The lock may be another thread's, which is not here.
  if (process_ != os::current_process_id()) return;
  {
    const std::lock_guard lock(mutex_);
    returned_ = {};
  }
  forget();
}

}  // namespace brood::lane
