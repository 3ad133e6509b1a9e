// SPDX-License-Identifier: MIT
#include "support/contest.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

namespace bench {
namespace {

// What the last one has left to do, as to free a list or to put its threads to sleep,
// isn't the next one's.
constexpr std::chrono::milliseconds until_quiet{2};

}  // namespace

void Contest::add(std::string name, Round round) {
  entries_.push_back({std::move(name), std::move(round), {}});
}

void Contest::run(int rounds, Start start) {
  for (const Entry& entry : entries_) entry.round();
  for (int i = 0; i < rounds; ++i) {
    for (Entry& entry : entries_) {
      std::this_thread::sleep_for(until_quiet);
      if (start == Start::awake) entry.round();
      entry.numbers.push_back(entry.round());
    }
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
