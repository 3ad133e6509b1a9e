// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brood::os {

// What the kernel tells of one thread of this process.
struct ThreadSight {
  int native_id = 0;
  std::string name;  // at most 15 bytes
  // The letter of proc(5): R S D T t Z X P I; '?' where /proc cannot be read.
  char state = '?';
  // It is executing, not merely ready to. proc(5) says R for both; see the .cpp.
  bool on_cpu = false;
  // It is past its last instruction and will be gone in a moment.
  bool exiting = false;
};

// The threads of this process in the order of their birth; none where /proc
// cannot be read. One that is born or ends during the call may be there or not.
std::vector<int> thread_ids();

// Nothing when this process has no such thread.
std::optional<ThreadSight> look_at_thread(int native_id);

bool thread_exists(int native_id) noexcept;

// Asked without /proc. True where a sandbox won't tell.
bool has_one_thread() noexcept;

// The calling thread's. The first thread of a process has the process's number.
int current_thread_id() noexcept;
int current_process_id() noexcept;
int parent_process_id() noexcept;
int current_process_group() noexcept;

// Cut at 15 bytes, between characters of UTF-8. Does nothing where the kernel
// refuses.
void name_thread(int native_id, std::string_view name);

}  // namespace brood::os
