// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>

#include <brood/base/export.hpp>

namespace brood {

// Names one submitted task for as long as its pool remembers it: a value to
// store, send and poll. The default one names nothing.
struct JobId {
  std::uint64_t number = 0;
  friend auto operator<=>(const JobId&, const JobId&) = default;
};

BROOD_EXPORT std::ostream& operator<<(std::ostream& out, JobId id);

// What a pool says of an id. `unknown`: never given by this pool, or more than
// a million ids ago.
enum class JobState { unknown, queued, running, done, failed, cancelled };

BROOD_EXPORT std::ostream& operator<<(std::ostream& out, JobState state);

}  // namespace brood

template <>
struct std::hash<brood::JobId> {
  std::size_t operator()(const brood::JobId& id) const noexcept {
    return std::hash<std::uint64_t>{}(id.number);
  }
};
