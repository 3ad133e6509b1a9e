// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <new>
#include <typeinfo>

#include <brood/base/error.hpp>
#include <brood/wire/codec.hpp>
#include <brood/wire/codec_composites.hpp>
#include <brood/wire/codec_containers.hpp>
#include <brood/wire/codec_others.hpp>
#include <brood/wire/encodable.hpp>
#include <brood/wire/require.hpp>
#include <brood/wire/transport.hpp>
#include <brood/wire/writer.hpp>

namespace brood::wire {
namespace codec {

// Throws the ShipError for what a user's function threw.
[[noreturn]] BROOD_EXPORT void throw_refused_by_hook(const char* verb, const std::type_info& type,
                                                     const std::exception& thrown);

template <typename T>
void put_through_archive(Writer& out, const T& value) {
  OutArchive archive(out);
  try {
    put(out, value);
    archive.serializeDeferments();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& thrown) {
    throw_refused_by_hook("encode", typeid(T), thrown);
  }
}

}  // namespace codec

// Appends the value's bytes. `decode<T>` reads them back, in the same program.
//
// Throws: ShipError when a value of this type could travel but this one can't
// (nested too deeply, a variant without a value, a user's function that threw).
template <typename T>
void encode(Writer& out, const T& value) {
  shape::require_encodable<T>();
  if constexpr (Encodable<T>) {
    if constexpr (shape::verdict_on<T>::hooked) {
      codec::put_through_archive(out, value);
    } else {
      codec::put(out, value);
    }
  }
}

}  // namespace brood::wire
