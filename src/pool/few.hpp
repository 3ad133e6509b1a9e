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
    if (count_ != 0 && !more_) destroy_few();
  }

  void push_back(T element) {
    if (!more_ && count_ < N) {
      std::construct_at(&few_[count_++].element, std::move(element));
      return;
    }
    if (!more_) {
      auto more = std::make_unique<std::vector<T>>();
      more->reserve(4 * N);
      for (Place& each : few_) more->push_back(std::move(each.element));
      destroy_few();
      more_ = std::move(more);
    }
    more_->push_back(std::move(element));
    ++count_;
  }

  std::size_t size() const noexcept { return count_; }
  const T* data() const noexcept { return more_ ? more_->data() : &few_.front().element; }
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
  std::unique_ptr<std::vector<T>> more_;  // all of them, when they are more
  std::size_t count_ = 0;
};

}  // namespace brood::detail
