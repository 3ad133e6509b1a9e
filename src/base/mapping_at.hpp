// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace brood::base {

// Declared on the ground floor, since rooms beside `os` ask it too; `os` answers.
//
// What is mapped at an address: a file's path, "[heap]", "[stack]", or "" for
// memory without a name. Nothing when the program can't have a pointer there:
// nothing is mapped, it is not readable, or it is a sanitizer's own memory.
//
// One system call when nothing is mapped; /proc is read otherwise.
// Safety: any thread.
std::optional<std::string> mapping_at(std::uintptr_t address);

}  // namespace brood::base
