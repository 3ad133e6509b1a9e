// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>

#include <brood/base/timeout.hpp>

#include "os/unique_fd.hpp"

namespace brood::detail {

// A process that can be asked, waited for and ended by whoever holds a
// ProcessInfo.
class WatchedProcess {
 public:
  // The one that made this process. It can't be reaped here.
  static std::shared_ptr<WatchedProcess> parent(int pid);

  WatchedProcess() = default;
  WatchedProcess(const WatchedProcess&) = delete;
  WatchedProcess& operator=(const WatchedProcess&) = delete;
  virtual ~WatchedProcess();

  virtual bool is_alive() = 0;
  virtual std::optional<int> exitcode() = 0;
  virtual bool join(const Deadline& deadline) = 0;
  virtual void send(int signal) = 0;
};

}  // namespace brood::detail
