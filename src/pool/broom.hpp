// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <span>

#include "os/pidfd.hpp"
#include "process/order.hpp"

namespace brood::detail {

// A process that waits for the program to die without having tidied up, and then
// removes the control groups of one of its pools. A worker or a nursery could not: they
// die with the program, and a group goes after the last that was in it.
class Broom {
 public:
  using Bear = std::function<os::Child(const process::Order&, std::span<const int>)>;

  // `groups` is the folder to remove.
  // Throws: what the birth throws.
  Broom(const Bear& bear, int groups);
  ~Broom();
  Broom(const Broom&) = delete;
  Broom& operator=(const Broom&) = delete;

 private:
  os::Child child_;
};

}  // namespace brood::detail
