// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include <brood/share/shared_block.hpp>
#include <brood/wire/archive.hpp>
#include <brood/wire/codec.hpp>
#include <brood/wire/encodable.hpp>

namespace brood::detail {

// What a shared_vector and a View have in common: elements that lie in a block of
// memory which nobody changes any more, and are read there.
//
// Safety: as of a const object.
template <typename T>
class SharedArray {
 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = const T&;
  using const_reference = const T&;
  using iterator = const T*;
  using const_iterator = const T*;

  const T* data() const noexcept {
    return block_ ? reinterpret_cast<const T*>(block_->bytes().data()) : nullptr;
  }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const T* begin() const noexcept { return data(); }
  const T* end() const noexcept { return data() + size_; }
  // Requires: place < size().
  const T& operator[](std::size_t place) const noexcept { return data()[place]; }
  // Throws: std::out_of_range.
  const T& at(std::size_t place) const {
    if (place < size_) return data()[place];
    throw std::out_of_range("brood: there is no element " + std::to_string(place) + " of " +
                            std::to_string(size_));
  }
  // Requires: not empty.
  const T& front() const noexcept { return *begin(); }
  const T& back() const noexcept { return end()[-1]; }
  // Valid while this or a copy of it lives.
  std::span<const T> span() const noexcept { return {data(), size_}; }

  friend bool operator==(const SharedArray& one, const SharedArray& other) {
    return one.block_ == other.block_ || std::ranges::equal(one.span(), other.span());
  }

  // How it travels.
  void save(wire::OutArchive& archive) const {
    archive(static_cast<std::uint64_t>(size_));
    if (size_ != 0) SharedBlock::put(archive.out(), block_);
  }
  // Throws: ShipError for what is no such array, and for memory that somebody could change.
  void load(wire::InArchive& archive) {
    std::uint64_t size = 0;
    archive(size);
    SharedArray loaded;
    if (size != 0) loaded.block_ = SharedBlock::get(archive.in(), true);
    const std::size_t bytes = loaded.block_ ? loaded.block_->bytes().size() : 0;
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(loaded.data()) % alignof(T) == 0;
    if (bytes % sizeof(T) != 0 || bytes / sizeof(T) != size || !is_aligned) throw_wrong_share();
    loaded.size_ = static_cast<std::size_t>(size);
    if constexpr (wire::shape::holds_bool<T>) {
      for (const T& element : loaded) wire::codec::check_bools(element);
    }
    *this = std::move(loaded);
  }

 protected:
  SharedArray() noexcept = default;
  SharedArray(const SharedArray&) = default;
  // Leaves the other one empty.
  SharedArray(SharedArray&& other) noexcept
      : block_(std::move(other.block_)), size_(std::exchange(other.size_, 0)) {}
  SharedArray& operator=(const SharedArray&) = default;
  SharedArray& operator=(SharedArray&& other) noexcept {
    block_ = std::move(other.block_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~SharedArray() = default;
  // The block holds so many elements; it's null where there are none.
  SharedArray(std::shared_ptr<SharedBlock> block, std::size_t size) noexcept
      : block_(std::move(block)), size_(size) {}

  // The block of so many, which `fill` may change. Null for none.
  // Throws: std::length_error; SystemError where the kernel grants no memory; what `fill` throws.
  template <typename Fill>
  static std::shared_ptr<SharedBlock> filled(std::size_t size, Fill& fill, const Making& making) {
    if (size == 0) return nullptr;
    if (size > SIZE_MAX / sizeof(T)) throw std::length_error("brood: a shared array too long");
    const auto fill_bytes = [&](std::span<std::byte> bytes) {
      fill(std::span<T>(reinterpret_cast<T*>(bytes.data()), size));
    };
    return SharedBlock::make(size * sizeof(T), fill_bytes, making);
  }

 private:
  std::shared_ptr<SharedBlock> block_;
  std::size_t size_ = 0;
};

}  // namespace brood::detail
