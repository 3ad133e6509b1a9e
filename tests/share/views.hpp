// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <span>
#include <sstream>
#include <string>
#include <system_error>

#include <brood/brood.hpp>

// Tasks that make Views and read them, and what there is of such memory.
namespace brood::testing {

// 800 kB: it travels as memory.
inline constexpr std::size_t many = 100'000;

inline View<std::uint64_t> count_from(std::uint64_t first, std::size_t size) {
  return View<std::uint64_t>::make(
      size, [first](std::span<std::uint64_t> out) { std::iota(out.begin(), out.end(), first); });
}
inline View<std::uint64_t> count_many_from(std::uint64_t first) { return count_from(first, many); }
inline bool counts_from(std::span<const std::uint64_t> numbers, std::uint64_t first,
                        std::size_t size) {
  for (const std::uint64_t number : numbers) {
    if (number != first++) return false;
  }
  return numbers.size() == size;
}
inline std::uint64_t sum(std::span<const std::uint64_t> numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0});
}

inline bool is_of_share(const std::string& text) {
  return text.find("memfd:brood-shared") != std::string::npos;
}

// How many mappings and descriptors of such memory a process has.
inline int mapped(const std::string& process = "self") {
  std::ifstream maps("/proc/" + process + "/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);) count += is_of_share(line);
  return count;
}
inline int descriptors() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    count += is_of_share(std::filesystem::read_symlink(entry.path(), gone).string());
  }
  return count;
}

// Of the memory behind an address, in this kernel.
inline std::string number_of_memory_at(const void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::string rights, offset, device, number;
    words >> std::hex >> begin >> dash >> end >> rights >> offset >> device >> number;
    if (begin <= at && at < end) return number;
  }
  return "";
}

}  // namespace brood::testing
