// SPDX-License-Identifier: MIT
#include "lane/kept_mappings.hpp"

#include <algorithm>
#include <utility>

namespace brood::lane {

std::span<const std::byte> KeptMappings::find(int memory, std::size_t size) {
  const std::uint64_t number = os::memory_number(memory);
  const auto found = std::find_if(seen_.begin(), seen_.end(),
                                  [&](const Seen& seen) { return seen.number == number; });
  if (found == seen_.end()) {
    seen_.front() = {number, {}};
    std::rotate(seen_.begin(), seen_.begin() + 1, seen_.end());
    return {};
  }
  if (found->mapping.size() < size) {
    found->mapping = os::map_read_only(memory, os::memory_size(memory));
    if (in_forks_ == InForks::no) found->mapping.not_in_forks();
    found->mapping.not_in_dumps(0);
  }
  std::rotate(found, found + 1, seen_.end());
  return seen_.back().mapping.bytes().first(size);
}

bool KeptMappings::is_empty() const noexcept {
  return std::none_of(seen_.begin(), seen_.end(),
                      [](const Seen& seen) { return bool(seen.mapping); });
}

KeptMappings::Kept KeptMappings::forget() noexcept {
  Kept kept;
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = std::move(seen_[i].mapping);
  seen_ = {};
  return kept;
}

}  // namespace brood::lane
