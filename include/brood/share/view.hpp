// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <brood/share/shared_block.hpp>
#include <brood/wire/archive.hpp>
#include <brood/wire/codec.hpp>
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
// can't be changed: what another process made is sealed, and taken only if it is.
// Cheap to copy; the memory is free when the last holder, in whatever process, has
// let go or died. So the program may hold one when the pool and the worker are gone.
//
// As a result of 64 KiB or more and as an argument no byte of it is moved, and nothing
// ever is in Context::thread. A smaller result travels as bytes, and so do those behind
// the first 15 in one result. Each large one costs the process that holds it a mapping,
// and a descriptor as long as fewer than half of those allowed are in use.
//
// Safety: as of a const object.
template <typename T>
class View {
  static_assert(wire::is_flat_v<T>,
                "brood: a View's elements are read in place, so they must be numbers, enums or "
                "trivially copyable aggregates of such; return a std::vector of others");

 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = const T&;
  using const_reference = const T&;
  using iterator = const T*;
  using const_iterator = const T*;

  View() noexcept = default;

  // The vector's own memory. When it travels to another process, it's copied once if it's
  // large.
  explicit View(std::vector<T>&& values)
    requires(!std::same_as<T, bool>)
      : size_(values.size()) {
    if constexpr (is_aligned_as_usual) {
      const auto kept = std::make_shared<const std::vector<T>>(std::move(values));
      if (size_ != 0) block_ = detail::SharedBlock::of(std::as_bytes(std::span(*kept)), kept);
    } else {
      *this = View(std::span<const T>(values));
    }
  }
  // A copy.
  // Throws: SystemError where the kernel grants no memory.
  explicit View(std::span<const T> values) : size_(values.size()) {
    if (size_ != 0) {
      block_ = detail::SharedBlock::copy_of(
          std::as_bytes(values), is_aligned_as_usual ? detail::Small::here : detail::Small::shared);
    }
  }

  // Zeros, which `fill` may change: the only time that anybody can.
  // Throws: SystemError where the kernel grants no memory; what `fill` throws.
  template <std::invocable<std::span<T>> Fill>
  static View make(std::size_t size, Fill&& fill) {
    View made;
    if (size == 0) return made;
    if (size > SIZE_MAX / sizeof(T)) throw std::length_error("brood::View: too long");
    made.block_ = detail::SharedBlock::make(
        size * sizeof(T),
        [&](std::span<std::byte> bytes) {
          fill(std::span<T>(reinterpret_cast<T*>(bytes.data()), size));
        },
        is_aligned_as_usual ? detail::Small::here : detail::Small::shared);
    made.size_ = size;
    return made;
  }

  const T* data() const noexcept {
    return block_ ? reinterpret_cast<const T*>(block_->bytes().data()) : nullptr;
  }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const T* begin() const noexcept { return data(); }
  const T* end() const noexcept { return data() + size_; }
  // Requires: place < size().
  const T& operator[](std::size_t place) const noexcept { return data()[place]; }
  // Valid while this or a copy of it lives. A View converts to it as every such range does.
  std::span<const T> span() const noexcept { return {data(), size_}; }

  friend bool operator==(const View& one, const View& other) {
    return one.block_ == other.block_ || std::ranges::equal(one.span(), other.span());
  }

  // How it travels.
  void save(wire::OutArchive& archive) const {
    archive(static_cast<std::uint64_t>(size_));
    if (size_ != 0) detail::SharedBlock::put(archive.out(), block_);
  }
  // Throws: ShipError for what is no View, and for memory that somebody could change.
  void load(wire::InArchive& archive) {
    std::uint64_t size = 0;
    archive(size);
    View loaded;
    if (size != 0) loaded.block_ = detail::SharedBlock::get(archive.in());
    const std::size_t bytes = loaded.block_ ? loaded.block_->bytes().size() : 0;
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(loaded.data()) % alignof(T) == 0;
    if (bytes % sizeof(T) != 0 || bytes / sizeof(T) != size || !is_aligned) {
      detail::throw_wrong_share();
    }
    loaded.size_ = static_cast<std::size_t>(size);
    if constexpr (wire::shape::holds_bool<T>) {
      for (const T& element : loaded) wire::codec::check_bools(element);
    }
    *this = std::move(loaded);
  }

 private:
  static constexpr bool is_aligned_as_usual = alignof(T) <= alignof(std::max_align_t);

  std::shared_ptr<detail::SharedBlock> block_;
  std::size_t size_ = 0;
};

template <typename T>
View(std::vector<T>&&) -> View<T>;
template <typename T>
View(const std::vector<T>&) -> View<T>;
template <typename T, std::size_t extent>
View(std::span<T, extent>) -> View<std::remove_const_t<T>>;

}  // namespace brood
