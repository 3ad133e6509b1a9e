// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <exception>

#include <brood/base/export.hpp>

namespace brood::detail {

// A piece of work on a thread of this program, as the job sees the engine:
//
//     if (!run.begin_item(i)) return;  call;  if (run.end_item()) keep the value or fail
//
// end_item decides between this thread and whoever gave the item up meanwhile
// (a timeout, a cancellation): the value of an item that was given up is dropped.
class BROOD_EXPORT HereRun {
 public:
  // False when the rest of the piece is not wanted any more.
  virtual bool begin_item(std::size_t item) = 0;
  // True: the item is this thread's to settle, by `kept` or `failed`.
  virtual bool end_item() noexcept = 0;
  virtual void kept(std::size_t item) = 0;
  virtual void failed(std::size_t item, std::exception_ptr error) = 0;

 protected:
  ~HereRun() = default;
};

}  // namespace brood::detail
