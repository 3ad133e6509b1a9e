// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <brood/base/context.hpp>
#include <brood/base/timeout.hpp>
#include <brood/process/process_info.hpp>
#include <brood/wire/erased_call.hpp>

#include "os/pidfd.hpp"
#include "process/watched_process.hpp"

namespace brood::detail {

// One Process from before its start until it's closed. Held by the Process, by
// those who asked for it, and, from its start until it's reaped, by Children.
class ProcessRecord final : public WatchedProcess,
                            public std::enable_shared_from_this<ProcessRecord> {
 public:
  ProcessRecord(std::string name, bool daemon, Context context, wire::ErasedCall target);

  void start();
  // Reaps the process that has ended by the way, as is_alive and exitcode do.
  bool join(const Deadline& deadline) override;
  bool is_alive() override;
  std::optional<int> exitcode() override;
  void send(int signal) override;
  // SIGKILL to it and to all that it started.
  void kill_group();
  void close();

  const std::string& name() const noexcept { return name_; }
  int pid() const;
  bool daemon() const;
  int sentinel() const;
  ProcessInfo info();
  std::string text();

  // Whether it's this process's, was started, and may still run.
  bool must_be_joined();

 private:
  enum class Phase { initial, started, stopped, closed };

  // With mutex_ held:
  [[noreturn]] void refuse(const char* what, const char* why) const;
  void require_open(const char* what) const;
  void require_started(const char* what) const;
  Phase look();
  os::Child bear();

  const std::string name_;
  const bool daemon_;
  const Context context_;
  const int owner_;
  const std::uint64_t generation_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  wire::ErasedCall target_;
  wire::Kept kept_;  // what the running target's bytes refer to
  Phase phase_ = Phase::initial;
  os::Child child_;
  os::ExitStatus status_;
};

}  // namespace brood::detail
