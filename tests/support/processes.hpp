// SPDX-License-Identifier: MIT
#pragma once

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

// What proc(5) says of processes.
namespace brood::testing {

struct ProcessSight {
  int pid = 0;
  std::string name;
  char state = '?';
  int parent = 0;
  int group = 0;
};

inline std::ostream& operator<<(std::ostream& out, const ProcessSight& sight) {
  return out << sight.pid << " (" << sight.name << ", state " << sight.state << ", child of "
             << sight.parent << ", group " << sight.group << ')';
}

inline std::vector<std::string> entries_of(const std::string& folder) {
  struct Close {
    void operator()(DIR* open) const noexcept { ::closedir(open); }
  };
  std::vector<std::string> names;
  const std::unique_ptr<DIR, Close> open(::opendir(folder.c_str()));
  if (!open) return names;
  while (const dirent* const entry = ::readdir(open.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline std::optional<ProcessSight> look_at_process(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const auto open = line.find('(');
  const auto close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  ProcessSight sight;
  sight.pid = pid;
  sight.name = line.substr(open + 1, close - open - 1);
  std::istringstream rest(line.substr(close + 1));
  rest >> sight.state >> sight.parent >> sight.group;
  return sight;
}

inline std::vector<ProcessSight> all_processes() {
  std::vector<ProcessSight> all;
  for (const std::string& name : entries_of("/proc")) {
    int pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc{} || parsed.ptr != name.data() + name.size()) continue;
    if (const auto sight = look_at_process(pid)) all.push_back(*sight);
  }
  return all;
}

// Children, their children and so on; zombies too.
inline std::vector<ProcessSight> descendants_of(int ancestor) {
  const std::vector<ProcessSight> all = all_processes();
  std::vector<ProcessSight> found;
  std::vector<int> parents{ancestor};
  while (!parents.empty()) {
    const int parent = parents.back();
    parents.pop_back();
    for (const ProcessSight& sight : all) {
      if (sight.parent != parent) continue;
      found.push_back(sight);
      parents.push_back(sight.pid);
    }
  }
  return found;
}

inline std::string list_of(const std::vector<ProcessSight>& processes) {
  std::ostringstream text;
  for (const ProcessSight& sight : processes) text << "  process " << sight << '\n';
  return text.str();
}

}  // namespace brood::testing
