// SPDX-License-Identifier: MIT
#include "how_many_snakes/checksums.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <numeric>
#include <stdexcept>

#include "how_many_snakes/in_quotes.hpp"

namespace snakes {
namespace {

// sha256sum marks a line whose name has escapes with a backslash of its own.
std::string checksum_line(const File& file, const Digest& digest) {
  std::string name;
  for (const char c : file.path) {
    switch (c) {
      case '\\': name += "\\\\"; break;
      case '\n': name += "\\n"; break;
      case '\r': name += "\\r"; break;
      default: name += c;
    }
  }
  std::string line = name.size() == file.path.size() ? "" : "\\";
  line += hexadecimal(digest.sha256);
  line += "  ";
  line += name;
  return line + '\n';
}

}  // namespace

void write_checksums(const std::string& to, const std::vector<File>& files,
                     const std::vector<Digest>& digests) {
  std::vector<std::size_t> order(files.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return files[a].path < files[b].path; });
  std::ofstream out(to, std::ios::binary);
  for (const std::size_t i : order) out << checksum_line(files[i], digests[i]);
  if (!out.flush()) throw std::runtime_error("cannot write digests " + in_quotes(to));
}

}  // namespace snakes
