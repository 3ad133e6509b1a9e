// SPDX-License-Identifier: MIT
#include <brood/wire/decode.hpp>

#include <string>

#include <brood/base/error.hpp>
#include <brood/wire/type_name.hpp>

namespace brood::wire::codec {

void throw_refused_by_hook(const char* verb, const std::type_info& type,
                           const std::exception& thrown) {
  throw ShipError("cannot " + std::string(verb) + " " + type_name(type) +
                  ": its serialization function threw: " + thrown.what());
}

void throw_misaligned(std::size_t alignment) {
  throw ShipError("cannot decode a message in place: its elements do not lie at a multiple of " +
                  std::to_string(alignment) + " bytes");
}

}  // namespace brood::wire::codec
