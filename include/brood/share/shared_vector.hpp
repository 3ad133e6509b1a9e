// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <new>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <brood/share/shared_block.hpp>
#include <brood/wire/archive.hpp>
#include <brood/wire/encodable.hpp>

namespace brood {

// An array that is built once and read by any number of tasks at no cost per
// byte: they get a handle, and read the same memory in place.
//
//     brood::shared_vector<float> volume(load());
//     pool.map(brood::task(render, volume), angles);   // void render(std::span<const float>, ...)
//
// The elements are numbers, enums, or trivially copyable aggregates of such. They
// can't be changed: the memory is sealed. Cheap to copy; the memory is free when
// the last holder, in whatever process, has let go or died. As an argument it
// travels by name, as a result by value.
//
// Safety: as of a const object.
template <typename T>
class shared_vector {
  static_assert(wire::is_flat_v<T>,
                "brood: a shared_vector's elements are read in place, so they must be numbers, "
                "enums or trivially copyable aggregates of such; use brood::share(v) for others");

 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = const T&;
  using const_reference = const T&;
  using iterator = const T*;
  using const_iterator = const T*;

  shared_vector() noexcept = default;

  // Zeros, which `fill` may change: the only time that anybody can.
  // Throws: SystemError where the kernel grants no memory; what `fill` throws.
  template <std::invocable<std::span<T>> Fill>
  shared_vector(std::size_t size, const Fill& fill) : size_(size) {
    if (size == 0) return;
    if (size > SIZE_MAX / sizeof(T)) throw std::length_error("brood::shared_vector: too long");
    block_ = detail::SharedBlock::make(size * sizeof(T), [&](std::span<std::byte> bytes) {
      fill(std::span<T>(reinterpret_cast<T*>(bytes.data()), size));
    });
  }
  explicit shared_vector(std::size_t size, const T& value = T())
      : shared_vector(size, [&value](std::span<T> all) {
          for (T& element : all) element = value;
        }) {}
  shared_vector(std::initializer_list<T> values)
      : shared_vector(std::span<const T>(values.begin(), values.size())) {}
  // A copy of the range.
  template <std::ranges::forward_range Range>
    requires(!std::same_as<std::remove_cvref_t<Range>, shared_vector> &&
             std::convertible_to<std::ranges::range_reference_t<Range>, T>)
  explicit shared_vector(Range&& range)
      : shared_vector(static_cast<std::size_t>(std::ranges::distance(range)),
                      [&range](std::span<T> all) {
                        auto to = all.begin();
                        for (auto&& element : range) *to++ = static_cast<T>(element);
                      }) {}
  template <std::forward_iterator Iterator>
  shared_vector(Iterator first, Iterator last)
      : shared_vector(std::ranges::subrange(first, last)) {}

  const T* data() const noexcept {
    return block_ ? reinterpret_cast<const T*>(block_->bytes().data()) : nullptr;
  }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const T* begin() const noexcept { return data(); }
  const T* end() const noexcept { return data() + size_; }
  // Requires: place < size().
  const T& operator[](std::size_t place) const noexcept { return data()[place]; }
  const T& at(std::size_t place) const {
    if (place < size_) return data()[place];
    throw std::out_of_range("brood::shared_vector::at: " + std::to_string(place) + " of " +
                            std::to_string(size_));
  }
  // Requires: not empty.
  const T& front() const noexcept { return *begin(); }
  const T& back() const noexcept { return end()[-1]; }
  operator std::span<const T>() const noexcept { return {data(), size_}; }

  friend bool operator==(const shared_vector& one, const shared_vector& other) {
    return one.block_ == other.block_ || std::ranges::equal(one, other);
  }

  // How it travels.
  void save(wire::OutArchive& archive) const {
    archive(static_cast<std::uint64_t>(size_));
    if (size_ != 0) detail::SharedBlock::put(archive.out(), block_);
  }
  void load(wire::InArchive& archive) {
    std::uint64_t size = 0;
    archive(size);
    shared_vector loaded;
    if (size != 0) loaded.block_ = detail::SharedBlock::get(archive.in());
    const std::size_t bytes = loaded.block_ ? loaded.block_->bytes().size() : 0;
    if (bytes % sizeof(T) != 0 || bytes / sizeof(T) != size) detail::throw_empty_share();
    loaded.size_ = static_cast<std::size_t>(size);
    *this = std::move(loaded);
  }

 private:
  std::shared_ptr<detail::SharedBlock> block_;
  std::size_t size_ = 0;
};

template <std::ranges::forward_range Range>
explicit shared_vector(Range&&) -> shared_vector<std::ranges::range_value_t<Range>>;

}  // namespace brood
