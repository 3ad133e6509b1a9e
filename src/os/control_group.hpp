// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "os/unique_fd.hpp"

// Control groups of version 2 (cgroups(7)) as far as a limit of memory needs them.
//
//     <base>/brood.<pid>.<n>/         one a pool, locked as long as its owner lives
//     <base>/brood.<pid>.<n>/<id>/    one a worker, with memory.max
//
// Who removes them: the program, as its workers and its pool end; when it's killed,
// whoever holds a duplicate of the pool's descriptor (remove_groups); when that is
// killed too, the next pool with the same base, which knows by the lock.
namespace brood::os {

// The folder of this process's own group. Nothing where there is no version 2.
std::optional<std::string> own_group();

// A folder in which this program may make groups that limit memory.
//
// A group that gives such a limit on to groups below it may have no process itself.
// So the program's own can be meant only where it's the root; else it's the one above
// it, if that was delegated (a manager's xattr says so, or it's the root of a cgroup
// namespace), and if the program's own group has no limits that a worker would escape.
std::optional<std::string> memory_base();

// Moves this process into a group, by the descriptor of its cgroup.procs.
bool enter_group(int procs) noexcept;

// Ends what is in the groups below this one, and removes it and them. True when
// nothing is left. `patience` is how long, in milliseconds, it waits for that.
bool remove_groups(int folder, int patience) noexcept;

// A group for one process and all that it starts.
class MemoryGroup {
 public:
  // Open for enter_group.
  int procs() const noexcept { return procs_.get(); }

  // Whether this limit, not a wider one, was the end of what was in it.
  struct End {
    bool entered = false;    // for sure: Linux says so since 5.19
    bool killed = false;     // by the out-of-memory killer, whoever's limit it was
    bool exceeded = false;   // this one's
    std::uint64_t peak = 0;  // bytes; 0 before Linux 5.19
  };
  End end() const;

 private:
  friend class MemoryGroups;
  std::string name_;
  UniqueFd folder_;
  UniqueFd procs_;
};

// The groups of one pool. Safety: one thread at a time.
class MemoryGroups {
 public:
  // Nothing where none can be made. Removes what programs have left that are gone.
  static std::optional<MemoryGroups> make();
  MemoryGroups(MemoryGroups&&) noexcept = default;
  MemoryGroups& operator=(MemoryGroups&&) = delete;
  // Blocks: until they are removed, a second at most.
  ~MemoryGroups();

  int folder() const noexcept { return folder_.get(); }
  // Nothing where the kernel refuses.
  std::optional<MemoryGroup> add(std::uint64_t id, std::uint64_t limit);
  // When its process is reaped. What else is in it is killed, and then it lingers until
  // that is gone.
  void remove(const MemoryGroup& group);
  bool any_lingers() const noexcept { return !lingering_.empty(); }
  void remove_lingering();

 private:
  explicit MemoryGroups(UniqueFd folder) noexcept : folder_(std::move(folder)) {}
  UniqueFd folder_;
  std::vector<std::string> lingering_;  // killed, but not empty when it was looked at
};

}  // namespace brood::os
