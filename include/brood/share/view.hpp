// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <brood/share/shared_array.hpp>
#include <brood/share/shared_block.hpp>
#include <brood/wire/encodable.hpp>

namespace brood {

// A large result that nobody copies: an array which a task makes once, and which the
// program reads where the task made it.
//
//     brood::View<float> render(Scene scene) {
//       return brood::View<float>::make(scene.pixels(), [&](std::span<float> out) {
//         scene.draw(out);
//       });
//     }
//     const brood::View<float> picture = pool.apply(render, scene);
//
// The elements are numbers, enums, or trivially copyable aggregates of such. They
// can't be changed: what another process made is sealed, and taken only if it is. The worker
// that made it has it for reading alone, until nobody holds it any more: then it may use the
// memory for the next one. Cheap to copy; the memory is free when the last holder, in
// whatever process, has let go or died. So the program may hold one when the pool and the
// worker are gone.
//
// As a result of 64 KiB or more and as an argument no byte of it is moved, and nothing
// ever is in Context::thread. A smaller result travels as bytes, and so do those behind
// the first 15 in one result. Each large one costs the process that holds it a mapping,
// and a descriptor as long as fewer than half of those allowed are in use.
//
// Safety: as of a const object.
template <typename T>
class View : public detail::SharedArray<T> {
  static_assert(wire::is_flat_v<T>,
                "brood: a View's elements are read in place, so they must be numbers, enums or "
                "trivially copyable aggregates of such; return a std::vector of others");

 public:
  View() noexcept = default;

  // The vector's own memory. When it travels to another process, it's copied once if it's
  // large.
  explicit View(std::vector<T>&& values)
    requires(!std::same_as<T, bool>)
      : View(block_of(std::move(values))) {}
  // A copy.
  // Throws: SystemError where the kernel grants no memory.
  explicit View(std::span<const T> values) : View(copy_of(values)) {}

  // Zeros, which `fill` may change: the only time that anybody can.
  // Throws: std::length_error; SystemError where the kernel grants no memory; what `fill` throws.
  template <std::invocable<std::span<T>> Fill>
  static View make(std::size_t size, Fill&& fill) {
    return View(Array::filled(size, fill, making), size);
  }
  // The same with anything in place of the zeros: a worker that made such Views before need
  // not overwrite what is left of them. For a `fill` that sets each element.
  template <std::invocable<std::span<T>> Fill>
  static View make_for_overwrite(std::size_t size, Fill&& fill) {
    return View(Array::filled(size, fill, making_for_overwrite), size);
  }

 private:
  using Array = detail::SharedArray<T>;
  static constexpr bool is_aligned_as_usual = alignof(T) <= alignof(std::max_align_t);
  static constexpr detail::Making making{
      .small = is_aligned_as_usual ? detail::Small::here : detail::Small::shared, .is_view = true};
  static constexpr detail::Making making_for_overwrite{
      .small = making.small, .is_view = true, .from_zeros = false};

  View(std::shared_ptr<detail::SharedBlock> block, std::size_t size) noexcept
      : Array(std::move(block), size) {}

  static View block_of(std::vector<T>&& values) {
    const std::size_t size = values.size();
    if (size == 0) return View();
    if constexpr (is_aligned_as_usual) {
      const auto kept = std::make_shared<const std::vector<T>>(std::move(values));
      return View(detail::SharedBlock::of(std::as_bytes(std::span(*kept)), kept), size);
    } else {
      return copy_of(values);
    }
  }
  static View copy_of(std::span<const T> values) {
    if (values.empty()) return View();
    return View(detail::SharedBlock::copy_of(std::as_bytes(values), making), values.size());
  }
};

template <typename T>
View(std::vector<T>&&) -> View<T>;
template <typename T>
View(const std::vector<T>&) -> View<T>;
template <typename T, std::size_t extent>
View(std::span<T, extent>) -> View<std::remove_const_t<T>>;

}  // namespace brood
