// SPDX-License-Identifier: MIT
#include "support/contest.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace bench {

void Contest::add(std::string name, Round round) {
  entries_.push_back({std::move(name), std::move(round), {}});
}

void Contest::run(int rounds) {
  for (const Entry& entry : entries_) entry.round();
  for (int i = 0; i < rounds; ++i) {
    for (Entry& entry : entries_) entry.numbers.push_back(entry.round());
  }
}

bool Contest::has(const std::string& name) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.name == name; });
}

const Contest::Entry& Contest::find(const std::string& name) const {
  for (const Entry& entry : entries_) {
    if (entry.name == name && !entry.numbers.empty()) return entry;
  }
  throw std::out_of_range("cannot find measurement '" + name + "': it was not run");
}

Spread Contest::of(const std::string& name) const { return spread_of(find(name).numbers); }

Spread Contest::ratio(const std::string& name, const std::string& yardstick) const {
  const Entry& ours = find(name);
  const Entry& theirs = find(yardstick);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.numbers.size(); ++i) {
    ratios.push_back(ours.numbers[i] / theirs.numbers[i]);
  }
  return spread_of(std::move(ratios));
}

}  // namespace bench
