// SPDX-License-Identifier: MIT
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <brood/brood.hpp>

// Tasks that want memory, real and touched.
namespace brood::testing {

inline constexpr std::size_t piece = MiB;

// Known to nobody at compile time, or what is allocated and not read is optimised away.
inline volatile bool for_good = true;

inline char* touched(char* memory, std::size_t size) {
  if (memory) std::memset(memory, 1, size);
  return memory;
}

// What a worker never gives back.
inline std::vector<char*>& hoard() {
  static std::vector<char*> kept;
  return kept;
}
inline int keep(std::size_t size) {
  hoard().push_back(touched(new char[size], size));
  return static_cast<int>(::getpid());
}
inline int take_and_free(std::size_t size) {
  delete[] touched(new char[size], size);
  return static_cast<int>(::getpid());
}

// Each until there's no more, and then as its kind does.
inline void grow_for_ever() {
  for (std::vector<std::vector<char>> all; for_good;) all.emplace_back(8 * piece, 'x');
}
inline void grow_in_noexcept() noexcept { grow_for_ever(); }
template <typename Refused>
void grow_until(Refused refused) {
  while (for_good) {
    char* const more = touched(static_cast<char*>(std::malloc(piece)), piece);
    if (!more) refused();
  }
}
inline void grow_and_abort() {
  grow_until([] { std::abort(); });
}
inline void grow_and_exit() {
  grow_until([] { std::exit(3); });
}
inline void grow_and_use_null() {
  grow_until([] { *static_cast<volatile char*>(nullptr) = 1; });
}
inline void grow_and_use_a_failed_mapping() {
  while (for_good) {
    void* const more =
        ::mmap(nullptr, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static_cast<volatile char*>(more)[0] = 1;
    touched(static_cast<char*>(more), piece);
  }
}
}  // namespace brood::testing
