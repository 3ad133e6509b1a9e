// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace brood::detail {

// A list that is short as a rule, and then lies where it is: in one piece, like a
// vector, but the first `N` elements take no memory from the heap.
template <typename T, std::size_t N>
class Few {
 public:
  void push_back(T element) {
    if (more_.empty() && count_ < N) {
      few_[count_++] = std::move(element);
      return;
    }
    if (more_.empty()) {
      more_.reserve(4 * N);
      for (T& each : few_) more_.push_back(std::move(each));
    }
    more_.push_back(std::move(element));
    ++count_;
  }

  std::size_t size() const noexcept { return count_; }
  const T* data() const noexcept { return more_.empty() ? few_.data() : more_.data(); }
  const T* begin() const noexcept { return data(); }
  const T* end() const noexcept { return data() + count_; }
  const T& operator[](std::size_t i) const noexcept { return data()[i]; }
  const T& front() const noexcept { return *data(); }

 private:
  std::array<T, N> few_{};
  std::vector<T> more_;  // all of them, when they are more
  std::size_t count_ = 0;
};

}  // namespace brood::detail
