// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <exception>
#include <span>
#include <string_view>
#include <type_traits>

#include <brood/wire/encode.hpp>
#include <brood/wire/reader.hpp>
#include <brood/wire/runs.hpp>

namespace brood::wire {
namespace codec {

template <typename T>
T get_through_archive(Reader& in) {
  InArchive archive(in);
  try {
    if constexpr (shape::way_of<T> == Way::hook && std::is_default_constructible_v<T>) {
      T value{};
      get_into(in, value);
      archive.serializeDeferments();
      return value;
    } else {
      T value = get<T>(in);
      archive.serializeDeferments();
      return value;
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception& thrown) {
    throw_refused_by_hook("decode", typeid(T), thrown);
  }
}

[[noreturn]] BROOD_EXPORT void throw_misaligned(std::size_t alignment);

}  // namespace codec

// What encode<T> wrote. Bytes that it can't have written give ShipError, never
// more: no read past their end, no allocation out of proportion to them, no
// exhausted stack. What follows the value is the caller's to look at.
template <typename T>
T decode(Reader& in) {
  shape::require_encodable<T>();
  if constexpr (!Encodable<T>) {
    __builtin_unreachable();  // the sentence above is all that shall be said
  } else if constexpr (shape::verdict_on<T>::hooked) {
    return codec::get_through_archive<T>(in);
  } else {
    return codec::get<T>(in);
  }
}

// The elements of a std::vector<T> that encode wrote, in the message itself.
//
// Throws: ShipError also where the message is so placed that they aren't aligned.
template <typename T>
  requires(is_flat_v<T> && alignof(T) <= 16)
std::span<const T> decode_span_in_place(Reader& in) {
  const std::size_t count = in.take_count(sizeof(T));
  const std::byte* run = codec::take_run<T>(in, count);
  if (!codec::is_aligned<T>(run)) [[unlikely]]
    codec::throw_misaligned(alignof(T));
  const std::span<const T> elements(reinterpret_cast<const T*>(run), count);
  if constexpr (shape::holds_bool<T>) {
    for (const T& element : elements) codec::check_bools(element);
  }
  return elements;
}

// The characters of a std::string that encode wrote, in the message itself.
inline std::string_view decode_text_in_place(Reader& in) {
  const std::size_t size = in.take_count(1);
  return {reinterpret_cast<const char*>(in.take(size)), size};
}

}  // namespace brood::wire
