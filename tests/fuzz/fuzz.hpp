// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include <brood/wire/writer.hpp>

// What the fuzzers share. Each says what its first inputs are; libFuzzer makes the
// others of them.
namespace brood::testing {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(const wire::Buffer& buffer) {
  return {buffer.view().begin(), buffer.view().end()};
}

// libFuzzer's, aligned as a message's are.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : words_(size / 16 + 1), size_(size) {
    if (size != 0) std::memcpy(words_.data(), data, size);
  }
  std::span<const std::byte> bytes() const noexcept {
    return {reinterpret_cast<const std::byte*>(words_.data()), size_};
  }

 private:
  struct alignas(16) Word {
    std::byte bytes[16];
  };
  std::vector<Word> words_;
  std::size_t size_;
};

// Into the folder that BROOD_FUZZ_SEEDS names, if there is one.
inline void write_seeds(const std::vector<Bytes>& seeds) {
  const char* const folder = std::getenv("BROOD_FUZZ_SEEDS");
  if (!folder) return;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    std::ofstream file(std::string(folder) + "/seed" + std::to_string(i), std::ios::binary);
    file.write(reinterpret_cast<const char*>(seeds[i].data()),
               static_cast<std::streamsize>(seeds[i].size()));
  }
}

// What must hold; libFuzzer keeps the input that shows it doesn't.
inline void require(bool fact) {
  if (!fact) std::abort();
}

}  // namespace brood::testing
