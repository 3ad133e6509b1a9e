// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "os/memory.hpp"

namespace brood::lane {

// Private memory into which the program copies large answers, kept for the next ones:
// fresh pages cost several times what copying to them does.
//
// Safety: guarded by its lane's owner's lock. What was taken comes back from any thread,
// and in a copy of the process, at any time.
class CopyStore : public std::enable_shared_from_this<CopyStore> {
 public:
  // One that is read while the next is filled.
  using Spares = std::array<std::unique_ptr<os::Mapping>, 2>;

  ~CopyStore() { forget(); }

  // Room for that much, which comes back when nobody refers to it any more.
  // Throws: SystemError, std::bad_alloc.
  std::shared_ptr<std::byte> take(std::size_t size);
  // Whether anything is kept, or will be when it comes back.
  bool may_keep() const noexcept { return is_open_; }
  // All that is kept. What has not come back yet is freed when it does.
  Spares forget() noexcept;

 private:
  struct Lease;
  std::unique_ptr<os::Mapping> take_spare(std::size_t size) noexcept;
  void give_back(std::unique_ptr<os::Mapping> memory, std::uint64_t epoch) noexcept;

  // Owned, each by whoever exchanges it out.
  std::array<std::atomic<os::Mapping*>, 2> spares_{};
  std::atomic<std::uint64_t> epoch_{0};  // how often all was forgotten
  bool is_open_ = false;
};

}  // namespace brood::lane
