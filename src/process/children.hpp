// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace brood::detail {

class ProcessRecord;

// The Processes that this process started and that have not been reaped. One per
// process: a child has none of its parent's.
//
// Safety: from many threads at once.
class Children {
 public:
  static Children& instance();

  // `Process-N`, or within a Process that has such a name `Process-N:M`.
  std::string next_name();

  void add(std::shared_ptr<ProcessRecord> child);
  void remove(const ProcessRecord& child);
  // Those that were started and not reaped, oldest first.
  std::vector<std::shared_ptr<ProcessRecord>> all();

  // As the program's end has it: daemons are killed, the others waited for.
  void end();

 private:
  explicit Children(int owner) noexcept : owner_(owner) {}

  const int owner_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<std::shared_ptr<ProcessRecord>> children_;
  unsigned made_ = 0;
  bool ends_at_exit_ = false;
};

}  // namespace brood::detail
