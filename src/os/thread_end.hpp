// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

namespace brood::os {

// What is to be run when its thread ends; itself a thread_local of no destructor. For
// one with a destructor the C library takes memory when it is first met, and ends the
// program when there is none.
//
// It runs after the destructors of the thread's thread_locals, which may still use what
// is kept until then; what is kept anew while ends run has another round. For main
// there is no end.
struct ThreadEnd {
  void (*run)(ThreadEnd&) noexcept;
  bool is_due = false;
  ThreadEnd* next = nullptr;
};

// Once, however often it is asked for; the last one first. Throws: std::bad_alloc.
void at_thread_end(ThreadEnd& end);

// A T for each thread that asks for one; itself a thread_local.
template <typename T>
class OfThread : private ThreadEnd {
 public:
  constexpr OfThread() noexcept : ThreadEnd{drop} {}

  // Null before the thread's first get().
  T* find() const noexcept { return value_; }
  // Throws: std::bad_alloc, and what T's constructor throws.
  T& get() {
    if (!value_) [[unlikely]] {
      at_thread_end(*this);
      value_ = new T;
    }
    return *value_;
  }

 private:
  static void drop(ThreadEnd& end) noexcept {
    delete std::exchange(static_cast<OfThread&>(end).value_, nullptr);
  }

  T* value_ = nullptr;
};

}  // namespace brood::os
