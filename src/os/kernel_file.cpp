// SPDX-License-Identifier: MIT
#include "os/kernel_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "os/syscall.hpp"
#include "os/unique_fd.hpp"

namespace brood::os {

std::string kernel_text(const char* path) { return kernel_text(AT_FDCWD, path); }

std::string kernel_text(int at, const char* path) {
  constexpr std::size_t step = 4096;
  const UniqueFd file(::openat(at, path, O_RDONLY | O_CLOEXEC));
  std::string text;
  std::size_t size = 0;
  while (file) {
    text.resize(size + step);
    const auto got = uninterrupted([&] { return ::read(file.get(), text.data() + size, step); });
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

std::optional<std::string_view> next_line(std::string_view& text) noexcept {
  if (text.empty()) return std::nullopt;
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view key) noexcept {
  while (const auto line = next_line(text)) {
    if (line->size() <= key.size() || !line->starts_with(key)) continue;
    if ((*line)[key.size()] == ' ') return first_number(line->substr(key.size()));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> first_number(std::string_view text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{}) return std::nullopt;
  return number;
}

}  // namespace brood::os
