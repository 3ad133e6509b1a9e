// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace brood::model {

using Hash = std::uint64_t;

constexpr Hash mix(Hash sum, std::uint64_t value) noexcept {
  sum ^= value + 0x9e3779b97f4a7c15 + (sum << 6) + (sum >> 2);
  sum *= 0xff51afd7ed558ccd;
  sum ^= sum >> 32;
  sum *= 0xc4ceb9fe1a85ec53;
  return sum ^ (sum >> 29);
}

// The states met so far, by 64 bits of each: of 10^7 states two are taken for
// one with a chance of 3 in 10^6.
class StateSet {
 public:
  // False: it was there.
  bool insert(Hash state) {
    if (2 * (count_ + 1) > cells_.size()) grow();
    if (!put(state)) return false;
    ++count_;
    return true;
  }
  std::size_t size() const noexcept { return count_; }
  void clear() {
    cells_.clear();
    count_ = 0;
  }

 private:
  bool put(Hash state) noexcept {
    if (state == 0) state = 1;
    for (std::size_t at = state & (cells_.size() - 1);; at = (at + 1) & (cells_.size() - 1)) {
      if (cells_[at] == state) return false;
      if (cells_[at] == 0) {
        cells_[at] = state;
        return true;
      }
    }
  }
  void grow() {
    std::vector<Hash> old(cells_.empty() ? std::size_t{1} << 16 : 2 * cells_.size());
    old.swap(cells_);
    for (const Hash state : old) {
      if (state != 0) put(state);
    }
  }

  std::vector<Hash> cells_;
  std::size_t count_ = 0;
};

}  // namespace brood::model
