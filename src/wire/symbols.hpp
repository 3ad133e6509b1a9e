// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <brood/wire/code_ref.hpp>

// Names for code that this process has loaded.
namespace brood::wire {

// One line for each function that the code at this place belongs to, what was
// inlined first: "inner(int) at file.cpp:12". Without debug information the name
// alone, without symbols the image and the offset. Never empty.
//
// Blocks: the first call reads the program's debug information, some 0.1 s.
// Safety: any thread. The place may be any number: nothing is read there.
std::vector<std::string> describe_code(CodeRef place);

// The demangled name of the function that begins there or holds the place; empty
// where it's unknown.
// Blocks: the first call reads the program's symbols, some milliseconds.
std::string function_name(CodeRef place);

}  // namespace brood::wire
