// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <ranges>
#include <span>
#include <type_traits>

#include <brood/share/shared_array.hpp>
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
class shared_vector : public detail::SharedArray<T> {
  static_assert(wire::is_flat_v<T>,
                "brood: a shared_vector's elements are read in place, so they must be numbers, "
                "enums or trivially copyable aggregates of such; use brood::share(v) for others");

 public:
  shared_vector() noexcept = default;

  // Zeros, which `fill` may change: the only time that anybody can.
  // Throws: std::length_error; SystemError where the kernel grants no memory; what `fill` throws.
  template <std::invocable<std::span<T>> Fill>
  shared_vector(std::size_t size, const Fill& fill)
      : Array(Array::filled(size, fill, detail::Making{}), size) {}
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

  operator std::span<const T>() const noexcept { return this->span(); }

 private:
  using Array = detail::SharedArray<T>;
};

template <std::ranges::forward_range Range>
explicit shared_vector(Range&&) -> shared_vector<std::ranges::range_value_t<Range>>;

}  // namespace brood
