// SPDX-License-Identifier: MIT
#include "census.hpp"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

namespace brood::storm {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code gone;
  for (fs::directory_iterator at(folder, gone), end; !gone && at != end; at.increment(gone)) {
    names.push_back(at->path().filename());
  }
  return names;
}

// "pid (name) state ppid ...": the name may hold anything, a parenthesis too.
std::optional<ChildSeen> child_of_ours(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const auto open = line.find('(');
  const auto close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 4 > line.size()) {
    return std::nullopt;
  }
  ChildSeen seen{pid, line.substr(open + 1, close - open - 1), line[close + 2]};
  if (std::atoi(line.c_str() + close + 4) != ::getpid()) return std::nullopt;
  return seen;
}

// "socket:[123]" is "socket:".
std::string kind_of_descriptor(const std::string& number) {
  std::error_code gone;
  std::string target = fs::read_symlink("/proc/self/fd/" + number, gone);
  if (gone) return {};
  if (target.starts_with("anon_inode:")) return target;
  return target.substr(0, target.find('['));
}

}  // namespace

std::vector<ChildSeen> children() {
  std::vector<ChildSeen> found;
  for (const std::string& name : names_in("/proc")) {
    int pid = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (read.ec != std::errc() || read.ptr != name.data() + name.size()) continue;
    if (auto child = child_of_ours(pid)) found.push_back(*child);
  }
  return found;
}

Census take_census() {
  Census census;
  for (const auto& child : children()) {
    ++census["child " + child.name + (child.state == 'Z' ? " (zombie)" : "")];
  }
  for (const auto& number : names_in("/proc/self/fd")) {
    const std::string kind = kind_of_descriptor(number);
    if (!kind.empty() && kind.find("/proc/") == std::string::npos) ++census["descriptor " + kind];
  }
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const auto name = line.find("/memfd:");
    if (name != std::string::npos) ++census["mapping " + line.substr(name)];
  }
  for (const auto& name : names_in("/dev/shm")) {
    if (name.find("brood") != std::string::npos) ++census["/dev/shm/" + name];
  }
  census["threads"] = static_cast<long>(names_in("/proc/self/task").size());
  return census;
}

std::string difference(const Census& before, const Census& after) {
  std::set<std::string> kinds;
  for (const auto& [kind, count] : before) kinds.insert(kind);
  for (const auto& [kind, count] : after) kinds.insert(kind);
  std::string text;
  for (const auto& kind : kinds) {
    const auto was = before.contains(kind) ? before.at(kind) : 0;
    const auto is = after.contains(kind) ? after.at(kind) : 0;
    if (was == is) continue;
    text +=
        "  " + kind + ": " + std::to_string(was) + " before, " + std::to_string(is) + " after\n";
  }
  return text;
}

}  // namespace brood::storm
