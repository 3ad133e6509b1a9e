// SPDX-License-Identifier: MIT
#pragma once

#include <link.h>

#include <atomic>
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
const Image& find_main_image() noexcept;
inline std::atomic<const Image*> known_main_image{nullptr};
inline const Image& main_image() noexcept {
  const Image* const known = known_main_image.load(std::memory_order_acquire);
  return known ? *known : find_main_image();
}

// Nothing is locked or allocated and each thread has its own cache, so a child
// that was forked while other threads were in here can go on.
std::optional<Image> image_at(std::uintptr_t address) noexcept;
std::optional<Image> image_with(std::uint64_t identity) noexcept;

std::vector<std::uint64_t> loaded_images();

// The image's file and its build-id in hexadecimal, each empty where unknown.
std::string path_of(const Image& image);
std::string build_id_of(const Image& image);

}  // namespace brood::wire
