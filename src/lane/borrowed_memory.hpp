// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "os/memory.hpp"
#include "os/unique_fd.hpp"

namespace brood::lane {

// What a worker lends to the program: memory of Views, which it fills again when nobody in
// the program reads it any more. The program's mappings are kept for the next time: to find
// all pages again takes as long as a copy.
//
// Safety: from many threads at once; in a copy of the process only `close`.
class BorrowedMemory final : public os::Lender,
                             public std::enable_shared_from_this<BorrowedMemory> {
 public:
  static constexpr std::size_t most_kept = 4;
  using Spares = std::array<os::SealedMemory, most_kept>;

  // `returned`: where the worker looks for what it has back.
  explicit BorrowedMemory(std::span<std::atomic<std::uint64_t>> returned) noexcept;

  // What the worker has sent, to be read. Nothing where somebody but the worker could write
  // there, or could cut it short.
  // Throws: SystemError.
  std::optional<os::SealedMemory> borrow(os::UniqueFd memory);
  void take_back(os::SealedMemory memory, std::uint64_t ticket) noexcept override;

  // Whether anything is kept, or will be when it comes back.
  bool may_keep() noexcept;
  // All that is kept. What has not come back yet is freed when it does.
  Spares forget() noexcept;
  // The worker is gone, and `returned` will be. Forgets all.
  void close() noexcept;

 private:
  const int process_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::span<std::atomic<std::uint64_t>> returned_;
  Spares kept_;
  bool is_open_ = false;
};

}  // namespace brood::lane
