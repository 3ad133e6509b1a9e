// SPDX-License-Identifier: MIT
#include "os/control_group.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include <brood/base/timeout.hpp>

#include "os/kernel_file.hpp"
#include "os/syscall.hpp"

namespace brood::os {
namespace {

constexpr const char* prefix = "brood.";
constexpr int most_pools_of_a_program = 1000;

UniqueFd open_folder(int at, const char* name) noexcept {
  return UniqueFd(::openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

bool write_to(int folder, const char* file, std::string_view text) noexcept {
  const UniqueFd open(::openat(folder, file, O_WRONLY | O_CLOEXEC));
  return open && ::write(open.get(), text.data(), text.size()) == std::ssize(text);
}

std::string read_from(const std::string& folder, const char* file) {
  return kernel_text((folder + '/' + file).c_str());
}

bool has_word(const std::string& text, std::string_view wanted) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  const int own = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const list = own == -1 ? nullptr : ::fdopendir(own);
  if (!list) return names;
  while (const dirent* const entry = ::readdir(list)) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  ::closedir(list);
  return names;
}

// Its own place: the name that the kernel has for the descriptor.
bool remove_itself(int folder) noexcept {
  std::array<char, 4096> path{};
  std::array<char, 32> link{};
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", folder);
  const auto size = ::readlink(link.data(), path.data(), path.size() - 1);
  return size > 0 && (::rmdir(path.data()) == 0 || errno == ENOENT);
}

// Linux has cgroup.kill since 5.14; before, whoever is left holds its group until
// it ends.
void kill_all_in(int folder) noexcept { write_to(folder, "cgroup.kill", "1"); }

// False when the time passed first. The kernel tells of changes by POLLPRI.
bool becomes_empty(int folder, const Deadline& deadline) {
  const UniqueFd events(::openat(folder, "cgroup.events", O_RDONLY | O_CLOEXEC));
  while (events) {
    std::array<char, 256> text{};
    const auto size = ::pread(events.get(), text.data(), text.size(), 0);
    if (size <= 0) break;
    const std::string_view told(text.data(), static_cast<std::size_t>(size));
    if (number_after(told, "populated").value_or(0) == 0) return true;
    if (deadline.has_passed()) return false;
    struct pollfd change{events.get(), POLLPRI, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left().length());
    ::poll(&change, 1, static_cast<int>(left.count()));
  }
  return true;
}

// "0::/path" is the line of version 2 (cgroups(7)).
std::string own_path() {
  const std::string text = kernel_text("/proc/self/cgroup");
  std::string_view lines = text;
  while (const auto line = next_line(lines)) {
    if (line->starts_with("0::/")) return std::string(line->substr(3));
  }
  return {};
}

struct Mount {
  std::string root;   // which group is seen there
  std::string point;  // where
};

// "36 35 98:0 /root /point options - type source options" (proc(5), mountinfo).
std::optional<Mount> find_group_mount() {
  const std::string text = kernel_text("/proc/self/mountinfo");
  std::string_view lines = text;
  while (const auto line = next_line(lines)) {
    if (line->find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream words{std::string(*line)};
    std::string skipped;
    Mount mount;
    words >> skipped >> skipped >> skipped >> mount.root >> mount.point;
    if (mount.root == "/") mount.root.clear();
    return mount;
  }
  return std::nullopt;
}

// Found once: it takes 40 us, and a crash is reported when this is known. Never
// destroyed: a pool in a static variable asks after main has returned.
const std::optional<Mount>& group_mount() {
  static const auto& found = *new std::optional<Mount>(find_group_mount());
  return found;
}

bool is_marked_as_delegated(const std::string& folder) noexcept {
  for (const char* const name : {"user.delegate", "trusted.delegate"}) {
    char mark = 0;
    if (::getxattr(folder.c_str(), name, &mark, 1) == 1 && mark == '1') return true;
  }
  return false;
}

// The machine's own root lacks what each other group has.
bool is_root_of_a_namespace(const std::string& folder) noexcept {
  const auto& mount = group_mount();
  return mount && mount->root.empty() && mount->point == folder &&
         ::access((folder + "/cgroup.type").c_str(), F_OK) == 0;
}

bool has_no_limit(const std::string& folder) {
  for (const char* const file :
       {"memory.max", "memory.high", "memory.swap.max", "cpu.max", "pids.max"}) {
    const std::string text = read_from(folder, file);
    if (!text.empty() && !text.starts_with("max")) return false;
  }
  return true;
}

bool gives_memory_on(const std::string& folder) {
  return has_word(read_from(folder, "cgroup.subtree_control"), "memory");
}

// What a program left that was killed, with nobody to tidy up after it.
void remove_remains(const std::string& base) {
  const UniqueFd folder = open_folder(AT_FDCWD, base.c_str());
  if (!folder) return;
  for (const std::string& name : names_in(folder.get())) {
    if (!name.starts_with(prefix)) continue;
    const UniqueFd pool = open_folder(folder.get(), name.c_str());
    if (pool && ::flock(pool.get(), LOCK_EX | LOCK_NB) == 0) remove_groups(pool.get(), 0);
  }
}

}  // namespace

std::optional<std::string> own_group() {
  const auto& mount = group_mount();
  if (!mount) return std::nullopt;
  const std::string path = own_path();
  // A group outside of what is mounted, or of the namespace, has no folder here.
  if (path.empty() || path.starts_with("/..")) return std::nullopt;
  if (!path.starts_with(mount->root)) return std::nullopt;
  std::string folder = mount->point + path.substr(mount->root.size());
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder;
}

std::optional<std::string> memory_base() {
  const auto own = own_group();
  if (!own) return std::nullopt;
  if (gives_memory_on(*own)) return own;
  const std::string above = own->substr(0, own->rfind('/'));
  if (!is_marked_as_delegated(above) && !is_root_of_a_namespace(above)) return std::nullopt;
  if (!has_no_limit(*own)) return std::nullopt;
  if (gives_memory_on(above)) return above;
  // Refused where a process is in it, or the controller isn't there.
  const UniqueFd folder = open_folder(AT_FDCWD, above.c_str());
  if (folder && write_to(folder.get(), "cgroup.subtree_control", "+memory")) return above;
  return std::nullopt;
}

bool enter_group(int procs) noexcept { return ::write(procs, "0", 1) == 1; }

bool remove_groups(int folder, int patience) noexcept {
  try {
    kill_all_in(folder);
    becomes_empty(folder, Deadline(std::chrono::milliseconds(patience)));
    for (const std::string& name : names_in(folder)) {
      ::unlinkat(folder, name.c_str(), AT_REMOVEDIR);
    }
  } catch (...) {
    // Out of memory: what is empty goes all the same, at least later.
  }
  return remove_itself(folder);
}

MemoryGroup::End MemoryGroup::end() const {
  const std::string events = kernel_text(folder_.get(), "memory.events");
  End end;
  // `oom_kill` counts whoever is killed in here, `oom` the times that this limit
  // could not be kept.
  end.killed = number_after(events, "oom_kill").value_or(0) != 0;
  end.exceeded = end.killed && number_after(events, "oom").value_or(0) != 0;
  end.peak = first_number(kernel_text(folder_.get(), "memory.peak")).value_or(0);
  end.entered = end.peak != 0;
  return end;
}

std::optional<MemoryGroups> MemoryGroups::make() {
  const auto base = memory_base();
  if (!base) return std::nullopt;
  remove_remains(*base);
  for (int number = 0; number < most_pools_of_a_program; ++number) {
    const std::string path =
        *base + '/' + prefix + std::to_string(::getpid()) + '.' + std::to_string(number);
    if (::mkdir(path.c_str(), 0755) == -1) {
      if (errno == EEXIST) continue;
      break;
    }
    MemoryGroups made(open_folder(AT_FDCWD, path.c_str()));
    // Another program may have taken it for remains before it was locked.
    if (!made.folder_ || ::flock(made.folder(), LOCK_EX | LOCK_NB) == -1) continue;
    if (write_to(made.folder(), "cgroup.subtree_control", "+memory")) return made;
    if (::access(path.c_str(), F_OK) == 0) break;
  }
  return std::nullopt;
}

MemoryGroups::~MemoryGroups() {
  if (folder_) remove_groups(folder_.get(), 1000);
}

std::optional<MemoryGroup> MemoryGroups::add(std::uint64_t id, std::uint64_t limit) {
  MemoryGroup group;
  group.name_ = std::to_string(id);
  if (::mkdirat(folder(), group.name_.c_str(), 0755) == -1) return std::nullopt;
  group.folder_ = open_folder(folder(), group.name_.c_str());
  const int at = group.folder_.get();
  // Without swap accounting there's no such file, and none to escape to is known.
  write_to(at, "memory.swap.max", "0");
  // What the worker has started is of no use without it.
  write_to(at, "memory.oom.group", "1");
  group.procs_ = UniqueFd(::openat(at, "cgroup.procs", O_WRONLY | O_CLOEXEC));
  if (group.procs_ && write_to(at, "memory.max", std::to_string(limit))) return group;
  ::unlinkat(folder(), group.name_.c_str(), AT_REMOVEDIR);
  return std::nullopt;
}

void MemoryGroups::remove(const MemoryGroup& group) {
  if (::unlinkat(folder(), group.name_.c_str(), AT_REMOVEDIR) == 0) return;
  kill_all_in(group.folder_.get());
  lingering_.push_back(group.name_);
}

void MemoryGroups::remove_lingering() {
  std::erase_if(lingering_, [this](const std::string& name) {
    return ::unlinkat(folder(), name.c_str(), AT_REMOVEDIR) == 0;
  });
}

}  // namespace brood::os
