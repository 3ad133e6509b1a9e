// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace brood::model {

// What lies there in the lanes, in words.
std::string describe_place(std::size_t offset, std::uint64_t value);

}  // namespace brood::model
