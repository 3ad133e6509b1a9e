// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <brood/base/export.hpp>
#include <brood/base/reading.hpp>
#include <brood/base/timeout.hpp>

namespace brood {

namespace detail {
class WatchedProcess;
}

// A process that somebody else holds: this one, the one that made it, or a child.
// Cheap to copy. Its names and numbers are those of the moment of asking, and
// read as calls too: `info.pid` is `info.pid()`; what the calls below tell is live.
struct BROOD_EXPORT ProcessInfo {
  Reading<std::string> name{};
  // The kernel's number.
  Reading<int> pid{};
  Reading<bool> daemon{};

  bool is_alive() const;
  // As Process has it; nothing for this process and for the one that made it.
  std::optional<int> exitcode() const;
  // Waits for the end; false when the time passed first. Blocks: until then.
  // Throws: ValueError for the process that asks.
  bool join(Timeout timeout = {}) const;
  // SIGTERM, SIGKILL. Nothing happens when it has ended.
  void terminate() const;
  void kill() const;

  // The same process, whenever the two were asked for.
  friend bool operator==(const ProcessInfo& one, const ProcessInfo& other) {
    return one.pid() == other.pid() && one.name() == other.name();
  }

  std::shared_ptr<detail::WatchedProcess> watched{};  // brood's own
};

// <Process(cruncher, started daemon 4711)>
BROOD_EXPORT std::ostream& operator<<(std::ostream& out, const ProcessInfo& info);

// The process that asks. The program itself is `MainProcess`; a Process has its
// own name; a pool's worker is a daemon.
BROOD_EXPORT ProcessInfo current_process();

// The one that made this one, through a Process or a Pool; nothing in the program
// itself.
BROOD_EXPORT std::optional<ProcessInfo> parent_process();

// The Processes of this process that were started and have not ended, in the
// order of their start. Those that have ended are reaped by the way.
BROOD_EXPORT std::vector<ProcessInfo> active_children();

}  // namespace brood
