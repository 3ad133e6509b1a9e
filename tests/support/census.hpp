// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <map>
#include <string>

#include "support/processes.hpp"
#include "support/watchdog.hpp"

// What this process holds that outlives a function: taken before and after, it
// tells what was left behind.
namespace brood::testing {

class Census {
 public:
  static Census take() {
    Census census;
    for (const ProcessSight& sight : descendants_of(::getpid())) {
      const std::string what =
          "process " + std::to_string(sight.pid) + (sight.state == 'Z' ? ", a zombie" : "");
      ++census.found_[what];
      census.names_[what] = sight.name;
    }
    census.count_descriptors();
    census.count_mappings();
    for (const std::string& name : entries_of("/dev/shm")) {
      // Those of other programs come and go.
      if (name.find("brood") != std::string::npos) ++census.found_["file /dev/shm/" + name];
    }
    return census;
  }

  // One line for each thing that there is more of than there was `before`; empty
  // when there's none.
  std::string more_than(const Census& before) const {
    std::string text;
    for (const auto& [what, count] : found_) {
      const auto known = before.found_.find(what);
      const int had = known == before.found_.end() ? 0 : known->second;
      if (count <= had) continue;
      const auto name = names_.find(what);
      text += "  " + what + (name == names_.end() ? "" : " (" + name->second + ")") + ": " +
              std::to_string(count) + ", before " + std::to_string(had) + '\n';
    }
    return text;
  }

 private:
  void count_descriptors() {
    for (const std::string& number : entries_of("/proc/self/fd")) {
      std::array<char, 256> target{};
      const std::string path = "/proc/self/fd/" + number;
      const auto size = ::readlink(path.c_str(), target.data(), target.size());
      // The one that lists them is closed again.
      if (size <= 0) continue;
      std::string name(target.data(), static_cast<std::size_t>(size));
      // The number tells one pipe or socket from another, of which a new one may
      // have taken the place.
      ++found_["descriptor of " + name.substr(0, name.find(":["))];
    }
  }

  void count_mappings() {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      const auto name = line.find("/memfd:");
      if (name != std::string::npos) ++found_["mapping of " + line.substr(name)];
    }
  }

  std::map<std::string, int> found_;
  // Of processes. A newborn one may still get another.
  std::map<std::string, std::string> names_;
};

// Waits until nothing is left that was not there before: what is asked to end
// ends in its own time. Empty, or what is still there when the watchdog barks.
inline std::string left_since(const Census& before, const Watchdog& watchdog = Watchdog()) {
  std::string left;
  watchdog.sees([&] {
    left = Census::take().more_than(before);
    return left.empty();
  });
  return left;
}

}  // namespace brood::testing
