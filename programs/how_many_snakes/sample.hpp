// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace snakes {

struct File {
  std::string path;
  std::uint64_t size = 0;  // bytes, when it was found
};

std::uint64_t bytes_of(const std::vector<File>& files);

// What a folder holds.
struct Found {
  std::vector<File> files;
  std::size_t unreadable = 0;     // files and folders that this user may not read
  std::size_t other_systems = 0;  // folders where another file system begins
};

// The regular files below a folder that can be read. Follows no symbolic link but
// the folder itself, and stays on its file system: /proc and its like have files
// without end.
// Throws: std::runtime_error when the folder itself cannot be read.
Found walk(const std::filesystem::path& folder);

struct Bounds {
  std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
  std::size_t files = std::numeric_limits<std::size_t>::max();
};

// As many of the files as the bounds allow. Which ones depends on nothing but their paths below the
// folder and their sizes, and is spread evenly over the tree; a file of more than an eighth of the
// bytes is taken only where room is left, for one worker would carry it alone. Largest first, so
// that no worker begins a large one when the others are done.
std::vector<File> take_sample(std::vector<File> files, const std::filesystem::path& folder,
                              const Bounds& bounds);

}  // namespace snakes
