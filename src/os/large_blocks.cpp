// SPDX-License-Identifier: MIT
#include "os/large_blocks.hpp"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "os/memory.hpp"
#include "os/native_thread.hpp"
#include "os/syscall.hpp"

namespace brood::os {
namespace {

using base::LargeBlock;

// Each has a descriptor, of which a program may have few.
constexpr std::size_t most_blocks = 16;
// What lies there unused for a while, all together.
constexpr std::size_t most_unused = std::size_t{512} << 20;

struct Entry {
  std::optional<Mapping> memory;
  std::optional<UniqueFd> descriptor;
  std::size_t holders = 0;  // its message, and those who read it
  std::uint64_t epoch = 0;  // how often all was forgotten when it was taken
  pid_t owner = 0;
  bool was_read = false;

  bool is_ours() const noexcept { return owner == ::getpid(); }
  // And is somebody's.
  bool begins(const std::byte* at) const noexcept {
    return memory && holders != 0 && memory->data() == at;
  }
  bool suits(std::size_t size) const noexcept {
    return memory && holders == 0 && is_ours() && memory->suits(size);
  }
};

// Once the lock is open again: to give memory back to the kernel takes a while. In a copy of
// the process the mapping is not there, and something else may be.
void discard(Entry entry) noexcept {
  if (entry.memory && !entry.is_ours()) entry.memory->leave();
}

class Blocks {
 public:
  constexpr Blocks() noexcept = default;

  // The smallest that suits, in use from now on; else nothing.
  LargeBlock take(std::size_t size) noexcept {
    const std::lock_guard lock(mutex_);
    Entry* chosen = nullptr;
    for (Entry& entry : entries_) {
      if (!entry.suits(size)) continue;
      if (!chosen || entry.memory->size() < chosen->memory->size()) chosen = &entry;
    }
    return chosen ? use(*chosen) : LargeBlock{};
  }

  // Into `displaced` goes what had its place. Nothing where there's no place.
  LargeBlock add(Entry&& made, Entry& displaced) noexcept {
    const std::lock_guard lock(mutex_);
    const auto place = find_place();
    if (place == entries_.end()) {
      std::swap(made, displaced);
      return {};
    }
    std::swap(*place, displaced);
    std::swap(*place, made);
    return use(*place);
  }
  // Not where messages of the process that this one is a copy of have not been given back:
  // another block could lie where they did.
  bool has_place() noexcept {
    const std::lock_guard lock(mutex_);
    const bool any_inherited =
        std::any_of(entries_.begin(), entries_.end(),
                    [](const Entry& entry) { return entry.holders != 0 && !entry.is_ours(); });
    return !any_inherited && find_place() != entries_.end();
  }

  // The descriptor, of a block of such a size at least that is one more's from now on; or -1.
  int hold(const std::byte* begin, std::size_t size) noexcept {
    const std::lock_guard lock(mutex_);
    Entry* const entry = find(begin);
    if (!entry || !entry->is_ours() || entry->memory->size() < size) return -1;
    ++entry->holders;
    entry->was_read = true;
    return entry->descriptor->get();
  }
  // False where there is none. What is not worth keeping is to be discarded.
  bool let_go(const std::byte* begin, Entry& unwanted) noexcept {
    const std::lock_guard lock(mutex_);
    Entry* const entry = find(begin);
    if (!entry) return false;
    if (--entry->holders != 0) return true;
    const bool keeps = entry->was_read && entry->epoch == epoch_ && entry->is_ours() &&
                       unused_size() <= most_unused;
    if (!keeps) std::swap(*entry, unwanted);
    return true;
  }
  std::array<Entry, most_blocks> forget() noexcept {
    std::array<Entry, most_blocks> unused;
    const std::lock_guard lock(mutex_);
    ++epoch_;
    for (std::size_t i = 0; i < most_blocks; ++i) {
      if (entries_[i].holders == 0) std::swap(entries_[i], unused[i]);
    }
    return unused;
  }

  // A child that the user forks meanwhile must not find it locked.
  void lock_for_fork() { mutex_.lock(); }
  void unlock_after_fork() { mutex_.unlock(); }

 private:
  using Entries = std::array<Entry, most_blocks>;

  Entries::iterator find_place() noexcept {
    const auto free = std::find_if(entries_.begin(), entries_.end(),
                                   [](const Entry& entry) { return !entry.memory; });
    if (free != entries_.end()) return free;
    return std::find_if(entries_.begin(), entries_.end(),
                        [](const Entry& entry) { return entry.holders == 0; });
  }
  Entry* find(const std::byte* begin) noexcept {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.begins(begin); });
    return found == entries_.end() ? nullptr : &*found;
  }
  std::size_t unused_size() const noexcept {
    std::size_t size = 0;
    for (const Entry& entry : entries_) {
      if (entry.memory && entry.holders == 0) size += entry.memory->size();
    }
    return size;
  }
  LargeBlock use(Entry& entry) noexcept {
    entry.holders = 1;
    entry.epoch = epoch_;
    entry.was_read = false;
    return {entry.memory->data(), entry.memory->size()};
  }

  std::mutex mutex_;
  // Guarded by mutex_.
  Entries entries_;
  std::uint64_t epoch_ = 0;
};

// Messages may be dropped by destructors of static objects: it has none itself.
union Immortal {
  Blocks blocks;
  constexpr Immortal() noexcept : blocks() {}
  constexpr ~Immortal() {}
};
constinit Immortal immortal;
Blocks& blocks() noexcept { return immortal.blocks; }

[[maybe_unused]] const bool watches_forks = [] {
  at_fork([] { blocks().lock_for_fork(); }, [] { blocks().unlock_after_fork(); },
          [] { blocks().unlock_after_fork(); });
  return true;
}();

// With all its pages: an access that found no memory for one would be a signal.
// Throws: SystemError.
Entry make(std::size_t size) {
  Entry made;
  made.owner = ::getpid();
  made.descriptor.emplace(make_growing_memory("brood-request"));
  const int fd = made.descriptor->get();
  resize_memory(fd, size);
  check(uninterrupted([&] { return ::fallocate(fd, 0, 0, static_cast<off_t>(size)); }),
        "make shared memory");
  made.memory.emplace(map_shared(fd, size));
  made.memory->not_in_forks();
  made.memory->not_in_dumps(0);
  seal_contents(fd);
  return made;
}

// Blocks begin where pages do, and what malloc gives seldom does.
bool may_begin_a_block(const std::byte* at) noexcept {
  constexpr std::uintptr_t page = 4096;
  return at && reinterpret_cast<std::uintptr_t>(at) % page == 0;
}

}  // namespace

}  // namespace brood::os

namespace brood::base {

LargeBlock take_large_block(std::size_t size) noexcept {
  if (const LargeBlock used_before = os::blocks().take(size); used_before.begin) return used_before;
  if (!os::blocks().has_place()) return {};
  os::Entry displaced;
  LargeBlock taken;
  try {
    taken = os::blocks().add(os::make(size), displaced);
  } catch (const std::exception&) {
    return {};
  }
  os::discard(std::move(displaced));
  return taken;
}

bool give_back_large_block(std::byte* begin) noexcept {
  if (!os::may_begin_a_block(begin)) return false;
  os::Entry unwanted;
  if (!os::blocks().let_go(begin, unwanted)) return false;
  os::discard(std::move(unwanted));
  return true;
}

}  // namespace brood::base

namespace brood::os {

void forget_large_blocks() noexcept {
  for (Entry& entry : blocks().forget()) discard(std::move(entry));
}

HeldBlock::HeldBlock(const std::byte* begin, std::size_t size) noexcept {
  if (!may_begin_a_block(begin)) return;
  descriptor_ = blocks().hold(begin, size);
  if (descriptor_ >= 0) begin_ = begin;
}

void HeldBlock::let_go() noexcept {
  Entry unwanted;
  blocks().let_go(begin_, unwanted);
  discard(std::move(unwanted));
}

}  // namespace brood::os
