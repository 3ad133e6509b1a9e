// SPDX-License-Identifier: MIT
#include "os/proc_numbers.hpp"

#include <dirent.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

namespace brood::os {
namespace {

// What a link of /proc says; empty where there's none.
std::string link_text(const char* path) noexcept {
  std::array<char, 64> text;
  const auto size = ::readlink(path, text.data(), text.size());
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

bool proc_counts_as_we_do() noexcept {
  return link_text("/proc/self") == std::to_string(::getpid());
}

}  // namespace

// "NSpid: 4711 12 1": from /proc's namespace to the thread's own (proc(5)).
int number_of_proc_entry(int entry) {
  if (proc_counts_as_we_do()) return entry;
  std::ifstream status("/proc/self/task/" + std::to_string(entry) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("NSpid:")) continue;
    const std::string_view last = std::string_view(line).substr(line.find_last_of(" \t") + 1);
    int number = 0;
    std::from_chars(last.data(), last.data() + last.size(), number);
    return number;
  }
  return 0;
}

int proc_entry_of(int native_id) {
  if (proc_counts_as_we_do()) return native_id;
  struct Close {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
  };
  const std::unique_ptr<DIR, Close> folder(::opendir("/proc/self/task"));
  if (!folder) return 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    int number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    if (number != 0 && number_of_proc_entry(number) == native_id) return number;
  }
  return 0;
}

// The second is no link as long as there's no first child.
bool children_live_elsewhere() noexcept {
  const std::string own = link_text("/proc/self/ns/pid");
  return !own.empty() && link_text("/proc/self/ns/pid_for_children") != own;
}

}  // namespace brood::os
