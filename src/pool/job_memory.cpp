// SPDX-License-Identifier: MIT
#include "pool/job_memory.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <type_traits>

#include "os/native_thread.hpp"
#include "os/thread_end.hpp"

namespace brood::detail {
namespace {

// The sanitizer that looks for memory used after it was freed must see each of them.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool is_watched = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool is_watched = true;
#else
constexpr bool is_watched = false;
#endif
#else
constexpr bool is_watched = false;
#endif

constexpr std::size_t block_size = 8192;
// So much less, that blocks which follow each other in the heap lie side by side.
constexpr std::size_t usable_size = block_size - 64;
constexpr std::size_t largest = usable_size / 8;

// More than fit into a block.
constexpr std::uint32_t still_open = 1U << 30;

// The beginning of a block, aligned to its size.
struct alignas(16) Block {
  // Of what was given out, what has not come back; while a thread fills the block,
  // still_open less what has come back.
  std::atomic<std::uint32_t> living{still_open};

  std::byte* begin() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
  std::byte* end() noexcept { return reinterpret_cast<std::byte*>(this) + usable_size; }
};

Block* block_of(void* memory) noexcept {
  return reinterpret_cast<Block*>(reinterpret_cast<std::uintptr_t>(memory) & ~(block_size - 1));
}

// Blocks between two uses; more of them are freed.
class Spares {
 public:
  constexpr Spares() noexcept = default;
  Spares(const Spares&) = delete;
  Spares& operator=(const Spares&) = delete;

  // Throws: std::bad_alloc.
  Block* take() {
    {
      const std::lock_guard lock(mutex_);
      if (count_ != 0) return new (blocks_[--count_]) Block;
    }
    void* memory = nullptr;
    if (::posix_memalign(&memory, block_size, usable_size) != 0) throw std::bad_alloc();
    return new (memory) Block;
  }
  void give(Block* block) noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (count_ != blocks_.size()) {
        blocks_[count_++] = block;
        return;
      }
    }
    std::free(block);
  }
  // A child that the user forks meanwhile must not find it locked.
  void hold() { mutex_.lock(); }
  void let_go() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
  std::array<Block*, 64> blocks_{};  // guarded by mutex_
  std::size_t count_ = 0;            // likewise
};

// Has no destructor: jobs may be dropped by those of static objects. There from the start:
// a fork could come while another thread makes it.
constinit Spares spares;
static_assert(std::is_trivially_destructible_v<Spares>);

[[maybe_unused]] const bool watches_forks = [] {
  os::at_fork([] { spares.hold(); }, [] { spares.let_go(); }, [] { spares.let_go(); });
  return true;
}();

// The block that a thread fills.
struct Open {
  Block* block = nullptr;
  std::byte* mark = nullptr;
  std::byte* end = nullptr;
  std::uint32_t given = 0;  // and not come back to this thread while it was open

  void start(Block* fresh) noexcept {
    block = fresh;
    mark = fresh->begin();
    end = fresh->end();
    given = 0;
  }
  bool is_empty() const noexcept {
    // Pairs with the release of who gave the last one back.
    return still_open - block->living.load(std::memory_order_acquire) == given;
  }
  void leave() noexcept {
    if (!block) return;
    const std::uint32_t closed = still_open - given;
    if (block->living.fetch_sub(closed, std::memory_order_acq_rel) == closed) spares.give(block);
    block = nullptr;
    mark = end = nullptr;
  }
};

constinit thread_local Open open_here;
constinit thread_local os::ThreadEnd leaving{[](os::ThreadEnd&) noexcept { open_here.leave(); }};

// For a thread that has no block. Throws: std::bad_alloc.
void start_here() {
  os::at_thread_end(leaving);
  open_here.start(spares.take());
}

// Of a size that is no multiple of 16 no object needs to be aligned to that.
std::byte* aligned(std::byte* mark, std::size_t size) noexcept {
  const std::uintptr_t mask = size % 16 == 0 ? 15 : 7;
  return reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(mark) + mask) & ~mask);
}

// Where the thread's block is full, or it has none. Throws: std::bad_alloc.
[[gnu::noinline]] void* allocate_elsewhere(std::size_t size) {
  Open& open = open_here;
  if (open.block && open.is_empty()) {
    open.block->living.store(still_open, std::memory_order_relaxed);
    open.start(open.block);
  } else {
    open.leave();
    start_here();
  }
  std::byte* const at = aligned(open.mark, size);
  open.mark = at + size;
  ++open.given;
  return at;
}

}  // namespace

void* JobMemory::allocate(std::size_t size) {
  if (is_watched || size > largest) return ::operator new(size);
  Open& open = open_here;
  std::byte* const at = aligned(open.mark, size);
  if (static_cast<std::size_t>(open.end - open.mark) <
      static_cast<std::size_t>(at - open.mark) + size) [[unlikely]] {
    return allocate_elsewhere(size);
  }
  open.mark = at + size;
  ++open.given;
  return at;
}

void JobMemory::free(void* memory, std::size_t size) noexcept {
  if (is_watched || size > largest) return ::operator delete(memory, size);
  auto* const at = static_cast<std::byte*>(memory);
  Block* const block = block_of(memory);
  Open& open = open_here;
  if (block == open.block) {
    --open.given;
    // The latest one's place is the next one's.
    if (at + size == open.mark) open.mark = at;
    return;
  }
  if (block->living.fetch_sub(1, std::memory_order_acq_rel) == 1) spares.give(block);
}

}  // namespace brood::detail
