// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "pool/process_worker.hpp"

namespace brood::detail {

// Workers to be woken, each once. Few as a rule, so that those cost no allocation.
class WakeList {
 public:
  using Seat = std::shared_ptr<Worker>;

  void add(const Seat& worker) {
    if (holds(worker)) return;
    if (count_ < few_.size()) {
      few_[count_++] = worker;
    } else {
      more_.push_back(worker);
    }
  }
  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (std::size_t i = 0; i < count_; ++i) visit(few_[i]);
    for (const Seat& worker : more_) visit(worker);
  }

 private:
  bool holds(const Seat& worker) const noexcept {
    const auto* const end = few_.data() + count_;
    return std::find(few_.data(), end, worker) != end ||
           std::find(more_.begin(), more_.end(), worker) != more_.end();
  }

  std::array<Seat, 4> few_;
  std::size_t count_ = 0;
  std::vector<Seat> more_;
};

}  // namespace brood::detail
