// SPDX-License-Identifier: MIT
#include "arena.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace brood::model {
namespace {

Arena the_arena;

}  // namespace

Arena& arena() noexcept { return the_arena; }

void Arena::reset() noexcept {
  std::memset(memory_, 0, used_);
  used_ = 0;
}

void* Arena::take(std::size_t size, std::size_t alignment) {
  const std::size_t begin = (used_ + alignment - 1) & ~(alignment - 1);
  if (begin + size > size_) std::abort();
  used_ = (begin + size + 15) & ~std::size_t{15};
  return memory_ + begin;
}

Hash Arena::sum() const noexcept {
  Hash sum = used_;
  for (std::size_t at = 0; at < used_; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, memory_ + at, sizeof word);
    sum = (sum ^ word) * 0x9fb21c651e98df25;
    sum ^= sum >> 28;
  }
  return sum;
}

}  // namespace brood::model

namespace {

void* allocate(std::size_t size, std::size_t alignment) {
  auto& world = brood::model::arena();
  if (world.is_open()) return world.take(size, alignment);
  void* const memory = alignment <= 16 ? std::malloc(size) : std::aligned_alloc(alignment, size);
  if (!memory) throw std::bad_alloc();
  return memory;
}

void give_back(void* memory) noexcept {
  if (!brood::model::arena().holds(memory)) std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size, 16); }
void* operator new[](std::size_t size) { return allocate(size, 16); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }
