// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include <brood/wire/archive.hpp>
#include <brood/wire/codec.hpp>
#include <brood/wire/codec_composites.hpp>
#include <brood/wire/codec_containers.hpp>

// Bits, paths, and what users taught cereal.
namespace brood::wire::codec {

template <typename T>
struct Codec<T, Way::bitset> {
  static constexpr std::size_t size = T{}.size();
  using Bytes = std::array<std::uint8_t, size / 8 + 1>;

  static void put(Writer& out, const T& bits) {
    Bytes bytes{};
    for (std::size_t i = 0; i < size; ++i) {
      if (bits[i]) bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] | (1u << (i % 8)));
    }
    codec::put(out, bytes);
  }

  static T get(Reader& in) {
    const Bytes bytes = codec::get<Bytes>(in);
    T bits;
    for (std::size_t i = 0; i < size; ++i)
      bits[i] = ((unsigned{bytes[i / 8]} >> (i % 8)) & 1u) != 0;
    return bits;
  }
};

template <typename T>
struct Codec<T, Way::path> {
  static void put(Writer& out, const T& path) { codec::put(out, path.native()); }
  static T get(Reader& in) { return T(codec::get<typename T::string_type>(in)); }
};

// Requires: an archive stands on the writer or reader; encode and decode see to it.
template <typename T>
struct Codec<T, Way::hook> {
  static void put(Writer& out, const T& value) {
    const Depth::Level level(out.depth(), sizeof(T));
    *out.reserve(1) = std::byte{0};  // the hook itself may write nothing
    out.archive()->put_by_hook(value);
  }

  static void get_into(Reader& in, T& value) {
    const Depth::Level level(in.depth(), sizeof(T));
    in.take(1);
    in.archive()->get_by_hook(value);
  }

  static T get(Reader& in) {
    if constexpr (std::is_default_constructible_v<T>) {
      T value{};
      get_into(in, value);
      return value;
    } else {
      const std::unique_ptr<T> value(cereal::access::construct<T>());
      get_into(in, *value);
      return std::move(*value);
    }
  }
};

}  // namespace brood::wire::codec

namespace brood::wire {

template <typename T>
void OutArchive::put(const T& value) {
  if constexpr (Encodable<T>) {
    codec::put(out_, value);
  } else {
    Base::operator()(value);
  }
}

template <typename T>
void InArchive::get(T& value) {
  if constexpr (Encodable<T>) {
    codec::get_into(in_, value);
  } else {
    Base::operator()(value);
  }
}

}  // namespace brood::wire
