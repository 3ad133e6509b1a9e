// SPDX-License-Identifier: MIT
#pragma once

#include <link.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What the dynamic loader knows about the program's images.
namespace brood::wire {

struct Image {
  std::uintptr_t begin = 0;
  std::uintptr_t size = 0;
  std::uintptr_t bias = 0;     // what the loader added to the addresses in the file
  std::uint64_t identity = 0;  // the same in every process that loads the same build

  bool holds(std::uintptr_t address) const noexcept { return address - begin < size; }
};

// The executable's. Never unloaded, so it is looked up once.
const Image& main_image() noexcept;

// Nothing is locked or allocated and each thread has its own cache, so a child
// that was forked while other threads were in here can go on.
std::optional<Image> image_at(std::uintptr_t address) noexcept;
std::optional<Image> image_with(std::uint64_t identity) noexcept;

std::vector<std::uint64_t> loaded_images();

// The image's file and its build-id in hexadecimal, each empty where unknown.
std::string path_of(const Image& image);
std::string build_id_of(const Image& image);

}  // namespace brood::wire
