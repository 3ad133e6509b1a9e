// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "how_many_snakes/sample.hpp"

namespace snakes {

// What the work finds out about one file.
struct Digest {
  std::array<std::uint8_t, 32> sha256{};
  std::uint64_t compressed_size = 0;  // bytes, by zlib at its default level
  friend bool operator==(const Digest&, const Digest&) = default;
};

// The work: OpenSSL's SHA-256 and zlib's deflate over the file's bytes. It knows
// nothing of workers, and runs in any.
// Throws: std::runtime_error when the file cannot be read, or has another size
// than when it was found.
Digest digest_of(const File& file);

// In hexadecimal, as sha256sum writes it.
std::string hexadecimal(const std::array<std::uint8_t, 32>& sha256);

}  // namespace snakes
