// SPDX-License-Identifier: MIT
#include "shared_memory.hpp"

#include <cstdlib>
#include <cstring>
#include <iterator>

namespace brood::model {
namespace {

SharedMemory the_memory;

}  // namespace

SharedMemory& shared_memory() noexcept { return the_memory; }

void SharedMemory::touch(const void* begin, std::size_t size) {
  const std::size_t last = (offset(begin) + size - 1) / line;
  for (std::size_t at = offset(begin) / line; at <= last; ++at) {
    if (touched_[at]) continue;
    if (line_count_ == std::size(lines_)) std::abort();
    touched_[at] = true;
    lines_[line_count_++] = static_cast<std::uint32_t>(at);
  }
}

void SharedMemory::reset() noexcept {
  for (std::size_t i = 0; i < line_count_; ++i) {
    touched_[lines_[i]] = false;
    std::memset(memory_ + lines_[i] * line, 0, line);
  }
  line_count_ = 0;
}

// In whatever order the lines were touched.
Hash SharedMemory::sum() const noexcept {
  Hash sum = 0;
  for (std::size_t i = 0; i < line_count_; ++i) {
    std::uint64_t words[line / sizeof(std::uint64_t)];
    std::memcpy(words, memory_ + lines_[i] * line, line);
    Hash of_line = 0;
    for (const std::uint64_t word : words) of_line |= word;
    if (of_line == 0) continue;  // as if never touched
    of_line = lines_[i];
    for (const std::uint64_t word : words) of_line = mix(of_line, word);
    sum += of_line;
  }
  return sum;
}

}  // namespace brood::model
