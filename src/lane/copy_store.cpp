// SPDX-License-Identifier: MIT
#include "lane/copy_store.hpp"

#include <utility>

#include <brood/base/large_memory.hpp>

#include "lane/layout.hpp"

namespace brood::lane {

struct CopyStore::Lease {
  std::shared_ptr<CopyStore> store;
  std::uint64_t epoch;
  std::unique_ptr<os::Mapping> memory;

  Lease(std::shared_ptr<CopyStore> from, std::uint64_t at) noexcept
      : store(std::move(from)), epoch(at) {}
  ~Lease() { store->give_back(std::move(memory), epoch); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
};

std::shared_ptr<std::byte> CopyStore::take(std::size_t size) {
  const auto lease =
      std::make_shared<Lease>(shared_from_this(), epoch_.load(std::memory_order_relaxed));
  lease->memory = take_spare(size);
  if (!lease->memory) {
    auto made = std::make_unique<os::Mapping>(os::map_private(size));
    detail::expect_to_be_filled(made->data(), size);
    lease->memory = std::move(made);
  }
  is_open_ = true;
  return {lease, lease->memory->data()};
}

// One that does not fit makes room for one that does.
std::unique_ptr<os::Mapping> CopyStore::take_spare(std::size_t size) noexcept {
  for (auto& place : spares_) {
    // Pairs with the release in give_back: its readers are done.
    std::unique_ptr<os::Mapping> found(place.exchange(nullptr, std::memory_order_acquire));
    if (found && found->suits(size)) return found;
  }
  return nullptr;
}

void CopyStore::give_back(std::unique_ptr<os::Mapping> memory, std::uint64_t epoch) noexcept {
  if (!memory || memory->size() > largest_kept) return;
  for (auto& place : spares_) {
    if (epoch_.load() != epoch) return;
    os::Mapping* none = nullptr;
    if (!place.compare_exchange_strong(none, memory.get())) continue;
    memory.release();
    // Forgotten in between, it may have been overlooked there.
    if (epoch_.load() != epoch) memory.reset(place.exchange(nullptr));
    return;
  }
}

CopyStore::Spares CopyStore::forget() noexcept {
  Spares found;
  ++epoch_;
  for (std::size_t i = 0; i < found.size(); ++i) found[i].reset(spares_[i].exchange(nullptr));
  is_open_ = false;
  return found;
}

}  // namespace brood::lane
