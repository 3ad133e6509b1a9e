// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <brood/wire/encodable.hpp>
#include <brood/wire/reader.hpp>
#include <brood/wire/type_name.hpp>
#include <brood/wire/writer.hpp>

// The two halves of each way, side by side, for what they write and read must
// match. Here is the dispatch, and the shortest way: one run of bytes.
namespace brood::wire::codec {

using shape::Way;

// Specialised for each way: put(Writer&, const T&) and get(Reader&) -> T.
template <typename T, Way = shape::way_of<T>>
struct Codec;

template <typename T>
void put(Writer& out, const T& value) {
  if constexpr (is_flat_v<T>) {
    out.write(&value, sizeof value);
  } else if constexpr (std::is_array_v<T>) {
    for (const auto& element : value) put(out, element);
  } else {
    Codec<T>::put(out, value);
  }
}

inline void put_count(Writer& out, std::size_t count) {
  const std::uint64_t wide = count;
  out.write(&wide, sizeof wide);
}

// Only the bytes of a T yet, and so aligned that a T could stand there.
template <typename T>
struct Raw {
  alignas(T) std::byte bytes[sizeof(T)];
};

// Looks at each bool as the byte that it is: to load another than 0 or 1 as a
// bool has no meaning.
template <typename T>
bool bools_are_sound(const T& value) {
  if constexpr (!shape::holds_bool<T>) {
    return true;
  } else if constexpr (shape::way_of<T> == Way::scalar) {
    return *reinterpret_cast<const unsigned char*>(&value) <= 1;
  } else if constexpr (shape::way_of<T> == Way::array) {
    for (std::size_t i = 0; i < shape::extent<T>(); ++i) {
      if (!bools_are_sound(value[i])) return false;
    }
    return true;
  } else {
    return shape::visit(value,
                        [](const auto&... field) { return (bools_are_sound(field) && ...); });
  }
}

template <typename T>
void check_bools([[maybe_unused]] const T& value) {
  if constexpr (shape::holds_bool<T>) {
    if (!bools_are_sound(value)) [[unlikely]] {
      throw_undecodable(type_name<T>(), "a bool in it is neither 0 nor 1");
    }
  }
}

// The T whose bytes lie there, aligned or not.
template <typename T>
T load(const std::byte* from) {
  Raw<T> raw;
  std::memcpy(raw.bytes, from, sizeof(T));
  check_bools(*reinterpret_cast<const T*>(raw.bytes));
  return std::bit_cast<T>(raw);
}

template <typename T>
T get(Reader& in) {
  if constexpr (is_flat_v<T>) {
    return load<T>(in.take(sizeof(T)));
  } else {
    return Codec<T>::get(in);
  }
}

// Over a value that is there already. The only way for a C array, and for a
// user's function that fills an object.
template <typename T>
void get_into(Reader& in, T& value) {
  if constexpr (std::is_array_v<T> && !is_flat_v<T>) {
    for (auto& element : value) get_into(in, element);
  } else if constexpr (is_flat_v<T>) {
    Raw<T> raw;
    in.read(raw.bytes, sizeof(T));
    check_bools(*reinterpret_cast<const T*>(raw.bytes));
    std::memcpy(static_cast<void*>(&value), raw.bytes, sizeof(T));
  } else if constexpr (shape::way_of<T> == Way::hook) {
    Codec<T>::get_into(in, value);
  } else {
    value = Codec<T>::get(in);
  }
}

// Elements side by side: padding to their alignment, then their bytes.
template <typename T>
void put_run(Writer& out, const T* elements, std::size_t count) {
  out.align(alignof(T));
  out.write(elements, count * sizeof(T));
}

template <typename T>
bool is_aligned(const std::byte* at) noexcept {
  return reinterpret_cast<std::uintptr_t>(at) % alignof(T) == 0;
}

// Where put_run's elements lie. Requires: a count from Reader::take_count, so that
// the product can't overflow.
template <typename T>
const std::byte* take_run(Reader& in, std::size_t count) {
  in.align(alignof(T));
  const std::byte* run = in.take(count * sizeof(T));
  return run;
}

}  // namespace brood::wire::codec
