// SPDX-License-Identifier: MIT
#include <brood/process/process_info.hpp>

#include <ostream>

#include <brood/base/error.hpp>

#include "os/pidfd.hpp"
#include "os/thread_list.hpp"
#include "process/watched_process.hpp"

namespace brood {
namespace detail {

WatchedProcess::~WatchedProcess() = default;

namespace {

class ParentProcess final : public WatchedProcess {
 public:
  // Empty when it has ended already.
  explicit ParentProcess(os::UniqueFd pidfd) noexcept : pidfd_(std::move(pidfd)) {}

  bool is_alive() override { return pidfd_ && !os::wait_for_end(pidfd_.get(), Deadline(no_time)); }
  std::optional<int> exitcode() override { return std::nullopt; }
  bool join(const Deadline& deadline) override {
    return !pidfd_ || os::wait_for_end(pidfd_.get(), deadline);
  }
  void send(int signal) override {
    if (pidfd_) os::send_signal(pidfd_.get(), signal);
  }

 private:
  static constexpr std::chrono::seconds no_time{0};
  os::UniqueFd pidfd_;
};

os::UniqueFd pidfd_of_parent(int pid) {
  os::UniqueFd pidfd;
  try {
    pidfd = os::open_pidfd(pid);
  } catch (const SystemError&) {
    return {};
  }
  // Its number may have become another's meanwhile, but then it's no parent of ours.
  if (os::parent_process_id() != pid) return {};
  return pidfd;
}

}  // namespace

std::shared_ptr<WatchedProcess> WatchedProcess::parent(int pid) {
  return std::make_shared<ParentProcess>(pidfd_of_parent(pid));
}

}  // namespace detail

bool ProcessInfo::is_alive() const { return watched ? watched->is_alive() : pid() != 0; }

std::optional<int> ProcessInfo::exitcode() const {
  return watched ? watched->exitcode() : std::nullopt;
}

bool ProcessInfo::join(Timeout timeout) const {
  if (!watched) {
    throw ValueError("cannot join process '" + name() + "': it is the one that asks");
  }
  return watched->join(Deadline(timeout));
}

namespace {

void send(const ProcessInfo& info, int signal) {
  if (info.watched) {
    info.watched->send(signal);
  } else {
    os::signal_this_process(signal);
  }
}

}  // namespace

void ProcessInfo::terminate() const { send(*this, os::terminate_signal); }
void ProcessInfo::kill() const { send(*this, os::kill_signal); }

std::ostream& operator<<(std::ostream& out, const ProcessInfo& info) {
  out << "<Process(" << info.name() << (info.is_alive() ? ", started " : ", stopped ");
  return out << (info.daemon() ? "daemon " : "") << info.pid() << ")>";
}

}  // namespace brood
