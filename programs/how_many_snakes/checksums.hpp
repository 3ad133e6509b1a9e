// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "how_many_snakes/digest.hpp"

namespace snakes {

// The digests in the order of the paths, as `sha256sum -c` reads them.
// Requires: one digest a file.
// Throws: std::runtime_error when the file cannot be written.
void write_checksums(const std::string& to, const std::vector<File>& files,
                     const std::vector<Digest>& digests);

}  // namespace snakes
