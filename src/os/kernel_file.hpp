// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brood::os {

// The files of /proc and /sys that are short texts. Streams are made for others: to open one
// takes longer than the kernel does to tell. `at`: a folder that `path` may be relative to.
// Empty where it can't be read.
std::string kernel_text(const char* path);
std::string kernel_text(int at, const char* path);

// Takes the first line off. Nothing where there's none left.
std::optional<std::string_view> next_line(std::string_view& text) noexcept;

// The number that follows `key` in lines of "key number".
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view key) noexcept;

// What a text begins with: "max" is none. Spaces before it are passed over.
std::optional<std::uint64_t> first_number(std::string_view text) noexcept;

}  // namespace brood::os
