// SPDX-License-Identifier: MIT
#include "base/mapping_at.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <fstream>

// Present in a program that was built with the address sanitizer only.
extern "C" __attribute__((weak)) void __asan_get_shadow_mapping(std::size_t* scale,
                                                                std::size_t* offset);

namespace brood::base {
namespace {

bool is_mapped(std::uintptr_t address) noexcept {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  void* const start = reinterpret_cast<void*>(address & ~(page - 1));
  unsigned char resident = 0;
  // Where mincore is forbidden, "yes" lets /proc have the last word.
  return ::mincore(start, 1, &resident) == 0 || errno != ENOMEM;
}

// Eight bytes of a program have one in the shadow, and so has the shadow itself.
// Its low part begins at 2 GiB, where small integers would meet it.
bool in_asan_shadow(std::uintptr_t address) noexcept {
  if (!__asan_get_shadow_mapping) return false;
  std::size_t scale = 0;
  std::size_t offset = 0;
  __asan_get_shadow_mapping(&scale, &offset);
  constexpr std::size_t address_space = std::size_t{1} << 47;
  return address - offset < address_space >> scale;
}

// The other sanitizers map terabytes for themselves; nobody else does.
constexpr std::uintptr_t implausible_size = std::uintptr_t{1} << 40;

// A line of /proc/self/maps.
struct Line {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool readable = false;
  std::string name;
};

std::optional<Line> parse(const std::string& text) {
  Line line;
  char rights[5] = "";
  int name_at = 0;
  if (std::sscanf(text.c_str(), "%lx-%lx %4s %*s %*s %*s %n", &line.begin, &line.end, rights,
                  &name_at) < 3) {
    return std::nullopt;
  }
  line.readable = rights[0] == 'r';
  line.name = text.substr(static_cast<std::size_t>(name_at));
  return line;
}

}  // namespace

std::optional<std::string> mapping_at(std::uintptr_t address) {
  if (!is_mapped(address) || in_asan_shadow(address)) return std::nullopt;
  std::ifstream maps("/proc/self/maps");
  if (!maps) return "";  // without /proc the kernel's yes has to do
  for (std::string text; std::getline(maps, text);) {
    const std::optional<Line> line = parse(text);
    if (!line || address < line->begin || address >= line->end) continue;
    if (!line->readable || line->end - line->begin >= implausible_size) return std::nullopt;
    return line->name;
  }
  return std::nullopt;
}

}  // namespace brood::base
