// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <memory>

#include "pool/few.hpp"
#include "pool/process_worker.hpp"

namespace brood::detail {

// Workers to be woken, each once.
class WakeList {
 public:
  using Seat = std::shared_ptr<Worker>;

  void add(const Seat& worker) {
    if (!contains(worker)) seats_.push_back(worker);
  }
  bool contains(const Seat& worker) const {
    return std::find(seats_.begin(), seats_.end(), worker) != seats_.end();
  }
  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (const Seat& worker : seats_) visit(worker);
  }

 private:
  Few<Seat, 4> seats_;
};

}  // namespace brood::detail
