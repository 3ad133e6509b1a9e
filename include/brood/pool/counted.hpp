// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include <brood/base/export.hpp>

namespace brood::detail {

// What deletes itself with the last reference to it. Whoever makes it has the first one.
//
// Safety: any thread. As with handles, nobody copies a reference that another thread
// uses at that moment: each thread copies from one of its own.
class BROOD_EXPORT Counted {
 public:
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  // The same of what no other thread knows yet.
  void retain_unshared() noexcept {
    references_.store(references_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void release() noexcept {
    // Where this is the only one, nobody else has one to copy.
    const bool is_last =
        has_one_reference() || references_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    if (is_last) delete this;
  }
  // The same for a thread that has two, and keeps the other one.
  void release_beside_own() noexcept {
    if (references_.load(std::memory_order_acquire) == 2) {
      references_.store(1, std::memory_order_relaxed);
    } else {
      references_.fetch_sub(1, std::memory_order_acq_rel);
    }
  }

 protected:
  Counted() noexcept = default;
  virtual ~Counted() = default;

  bool has_one_reference() const noexcept {
    return references_.load(std::memory_order_acquire) == 1;
  }

 private:
  std::atomic<std::uint32_t> references_{1};
};

}  // namespace brood::detail
