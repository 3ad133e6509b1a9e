// SPDX-License-Identifier: MIT
#include <brood/wire/reader.hpp>

#include <brood/base/error.hpp>

namespace brood::wire {

void Reader::throw_short(std::size_t needed) const {
  throw ShipError("cannot decode a message: it ends at byte " + std::to_string(end_ - begin_) +
                  ", and " + std::to_string(needed) + " more are expected from byte " +
                  std::to_string(position()) + " on");
}

void Reader::throw_too_many(std::uint64_t count) const {
  throw ShipError("cannot decode a message: it claims " + std::to_string(count) +
                  " elements at byte " + std::to_string(position()) + ", and only " +
                  std::to_string(left()) + " bytes are left");
}

void throw_undecodable(const std::string& what, const char* reason) {
  throw ShipError("cannot decode " + what + ": " + reason);
}

}  // namespace brood::wire
