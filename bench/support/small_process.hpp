// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include "support/processes.hpp"

namespace bench {

// Measures in a process that was small when it was made, and stays so, whatever
// becomes of this one. Requires of the constructor: one thread.
class SmallProcess {
 public:
  explicit SmallProcess(double (*task)());
  // What `task` returns there.
  double measure();

 private:
  struct Words {
    std::atomic<std::uint32_t> order{0};
    std::atomic<std::uint32_t> answer{0};
    double number = 0;
  };
  static void serve(Words& words, double (*task)());

  Words& words_;
  Child child_;
  std::uint32_t orders_ = 0;
};

}  // namespace bench
