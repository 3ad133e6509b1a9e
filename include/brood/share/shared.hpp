// SPDX-License-Identifier: MIT
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brood/share/shared_block.hpp>
#include <brood/wire/archive.hpp>
#include <brood/wire/call_type.hpp>
#include <brood/wire/decode.hpp>
#include <brood/wire/encode.hpp>

namespace brood {

namespace detail {

// The view that can be had of a T's bytes without decoding; void where there's none.
template <typename T>
struct ViewOfShared {
  using type = void;
};
template <typename Allocator>
struct ViewOfShared<std::basic_string<char, std::char_traits<char>, Allocator>> {
  using type = std::string_view;
};
template <typename T, typename Allocator>
  requires(wire::is_flat_v<T> && !std::is_same_v<T, bool>)
struct ViewOfShared<std::vector<T, Allocator>> {
  using type = std::span<const T>;
};

}  // namespace detail

// A value that is encoded once and handed to any number of tasks at no cost per
// byte. Made by brood::share. A function that takes a `const T&` gets the value,
// which each process decodes at most once while it holds it; one that takes a
// span (of a vector of numbers) or a string_view (of a string) reads it in place.
//
// Cheap to copy; the memory is free when the last holder, in whatever process, has
// let go or died. As an argument it travels by name, as a result by value.
//
// Safety: as of a const object.
template <typename T>
class Shared {
  using View = typename detail::ViewOfShared<T>::type;

 public:
  using value_type = T;

  // One without a value.
  Shared() noexcept = default;
  explicit Shared(const T& value) {
    wire::Buffer encoded;
    wire::encode(encoded, value);
    block_ = detail::SharedBlock::make(encoded.size(), [&encoded](std::span<std::byte> bytes) {
      std::memcpy(bytes.data(), encoded.data(), bytes.size());
    });
  }

  explicit operator bool() const noexcept { return block_ != nullptr; }

  // Valid while this or a copy of it lives.
  // Throws: ValueError without a value; ShipError when it can't be decoded.
  const T& get() const {
    if (!block_) detail::throw_empty_share();
    return block_->template value<T>([this] {
      wire::Reader in(block_->bytes());
      return std::make_shared<const T>(wire::decode<T>(in));
    });
  }
  const T& operator*() const { return get(); }
  const T* operator->() const { return &get(); }
  operator const T&() const { return get(); }  // NOLINT: meant to convert

  // In place.
  operator std::conditional_t<std::is_void_v<View>, Shared, View>() const  // NOLINT: likewise
    requires(!std::is_void_v<View>)
  {
    if (!block_) detail::throw_empty_share();
    wire::Reader in(block_->bytes());
    if constexpr (std::is_same_v<View, std::string_view>) {
      return wire::decode_text_in_place(in);
    } else {
      return wire::decode_span_in_place<typename T::value_type>(in);
    }
  }

  // How it travels.
  void save(wire::OutArchive& archive) const {
    archive(block_ != nullptr);
    if (block_) detail::SharedBlock::put(archive.out(), block_);
  }
  void load(wire::InArchive& archive) {
    bool there = false;
    archive(there);
    block_ = there ? detail::SharedBlock::get(archive.in()) : nullptr;
  }

 private:
  std::shared_ptr<detail::SharedBlock> block_;
};

// Encodes the value once, for any number of tasks.
//
//     auto model = brood::share(load_model());
//     pool.map(brood::task(score, model), samples);   // double score(const Model&, Sample)
//
// Throws: ShipError for a value that can't be encoded; SystemError where the kernel
// grants no memory.
template <typename T>
auto share(const T& value) {
  if constexpr (wire::require_encodable_argument<T>()) {
    if constexpr (std::is_same_v<T, wire::transport_t<T>>) {
      return Shared<T>(value);  // not a copy of it: there may be none to be had
    } else {
      return Shared<wire::transport_t<T>>(wire::to_transport(value));
    }
  } else {
    return Shared<wire::NoResult>();
  }
}

}  // namespace brood

// Else the functions for what it converts to (a std::string, say) compete with its
// own.
template <typename Archive, typename T>
struct cereal::specialize<Archive, brood::Shared<T>, cereal::specialization::member_load_save> {};
