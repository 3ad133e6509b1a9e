// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace brood::detail {

// A list that is short as a rule, and then lies where it is: in one piece, like a
// vector, but the first `N` elements take no memory from the heap. An empty one costs
// next to nothing to make and to drop.
template <typename T, std::size_t N>
class Few {
 public:
  Few() noexcept = default;
  Few(const Few&) = delete;
  Few& operator=(const Few&) = delete;
  ~Few() {
    if (more_.empty()) destroy_few();
  }

  void push_back(T element) {
    if (more_.empty() && count_ < N) {
      std::construct_at(&few_[count_++].element, std::move(element));
      return;
    }
    if (more_.empty()) {
      more_.reserve(4 * N);
      for (Place& each : few_) more_.push_back(std::move(each.element));
      destroy_few();
    }
    more_.push_back(std::move(element));
    ++count_;
  }

  std::size_t size() const noexcept { return count_; }
  const T* data() const noexcept { return more_.empty() ? &few_.front().element : more_.data(); }
  const T* begin() const noexcept { return data(); }
  const T* end() const noexcept { return data() + count_; }
  const T& operator[](std::size_t i) const noexcept { return data()[i]; }
  const T& front() const noexcept { return *data(); }

 private:
  union Place {
    Place() noexcept {}
    ~Place() {}
    T element;
  };

  void destroy_few() noexcept {
    for (std::size_t i = 0; i < count_; ++i) std::destroy_at(&few_[i].element);
  }

  std::array<Place, N> few_;
  std::vector<T> more_;  // all of them, when they are more
  std::size_t count_ = 0;
};

}  // namespace brood::detail
