// SPDX-License-Identifier: MIT
#include "process/process_record.hpp"

#include <sstream>
#include <utility>

#include <brood/base/error.hpp>
#include <brood/process/process.hpp>

#include "os/child_setup.hpp"
#include "os/thread_list.hpp"
#include "process/children.hpp"
#include "process/home.hpp"
#include "process/process_main.hpp"

namespace brood::detail {
namespace {

// What the fork that this thread is about to make will run.
thread_local struct {
  process::Identity* identity = nullptr;
  const wire::ErasedCall* target = nullptr;
} about_to_run;

int forked_main(process::Kit&) {
  return process::run_process(std::move(*about_to_run.identity), *about_to_run.target);
}

}  // namespace

ProcessRecord::ProcessRecord(std::string name, bool daemon, Context context,
                             wire::ErasedCall target)
    : name_(std::move(name)),
      daemon_(daemon),
      context_(context),
      owner_(os::current_process_id()),
      generation_(process::fork_generation()),
      target_(std::move(target)) {}

void ProcessRecord::refuse(const char* what, const char* why) const {
  throw ValueError(std::string("cannot ") + what + " process '" + name_ + "': " + why);
}

void ProcessRecord::require_open(const char* what) const {
  process::require_own(generation_, "process");
  if (phase_ == Phase::closed) refuse(what, "it was closed");
}

void ProcessRecord::require_started(const char* what) const {
  require_open(what);
  if (phase_ == Phase::initial) refuse(what, "it was not started; call start() first");
}

// Reaps it if it has ended.
ProcessRecord::Phase ProcessRecord::look() {
  if (phase_ != Phase::started) return phase_;
  const auto status = os::reap(child_);
  if (!status) return phase_;
  status_ = *status;
  phase_ = Phase::stopped;
  kept_.clear();
  Children::instance().remove(*this);
  return phase_;
}

os::Child ProcessRecord::bear() {
  process::Order order;
  order.set_name(name_);
  order.tie = daemon_ ? process::Tie::lifeline : process::Tie::none;
  order.group = daemon_ ? 0 : os::current_process_group();
  process::Identity identity{name_, daemon_, owner_, process::identity().name};
  if (context_ == Context::fork) {
    order.keeps_descriptors = 1;
    about_to_run = {&identity, &target_};
    return process::fork_here(order, {}, &forked_main);
  }
  os::flush_all_output();  // so that what is printed stands in the order of events
  order.entry = wire::locate(&process::shipped_process_main);
  if (context_ == Context::spawn) order.method = process::StartMethod::spawned;
  const os::UniqueFd target = process::write_target(identity, target_);
  const int descriptors[]{target.get()};
  return process::bear(order, descriptors);
}

void ProcessRecord::start() {
  // Those that have ended would stay zombies until somebody asks.
  for (const auto& child : Children::instance().all()) child->is_alive();
  const std::lock_guard lock(mutex_);
  require_open("start");
  if (phase_ != Phase::initial) {
    refuse("start", "it was started before; a Process runs once, make another one");
  }
  child_ = bear();
  phase_ = Phase::started;
  Children::instance().add(shared_from_this());
  kept_ = target_.kept();
  target_ = {};
}

bool ProcessRecord::join(const Deadline& deadline) {
  int pidfd = -1;
  {
    const std::lock_guard lock(mutex_);
    require_started("join");
    if (look() != Phase::started) return true;
    pidfd = child_.pidfd.get();
  }
  if (!os::wait_for_end(pidfd, deadline)) return false;
  const std::lock_guard lock(mutex_);
  look();
  return true;
}

bool ProcessRecord::is_alive() {
  const std::lock_guard lock(mutex_);
  require_open("ask");
  return look() == Phase::started;
}

std::optional<int> ProcessRecord::exitcode() {
  const std::lock_guard lock(mutex_);
  require_open("ask");
  if (look() != Phase::stopped) return std::nullopt;
  return status_.as_exitcode();
}

void ProcessRecord::send(int signal) {
  const std::lock_guard lock(mutex_);
  require_started("signal");
  if (look() == Phase::started) os::send_signal(child_, signal);
}

void ProcessRecord::kill_group() {
  const std::lock_guard lock(mutex_);
  if (look() == Phase::started) os::send_signal_to_group(child_, os::kill_signal);
}

void ProcessRecord::close() {
  const std::lock_guard lock(mutex_);
  process::require_own(generation_, "process");
  if (look() == Phase::started) {
    refuse("close", "it is still running; call join(), or terminate() first");
  }
  phase_ = Phase::closed;
  child_.pidfd.reset();
  target_ = {};
}

int ProcessRecord::pid() const {
  const std::lock_guard lock(mutex_);
  require_open("ask");
  return child_.pid;
}

bool ProcessRecord::daemon() const {
  const std::lock_guard lock(mutex_);
  require_open("ask");
  return daemon_;
}

int ProcessRecord::sentinel() const {
  const std::lock_guard lock(mutex_);
  require_started("watch");
  return child_.pidfd.get();
}

ProcessInfo ProcessRecord::info() { return {name_, pid(), daemon_, shared_from_this()}; }

std::string ProcessRecord::text() {
  const std::lock_guard lock(mutex_);
  std::ostringstream out;
  out << "<Process(" << name_;
  const Phase phase = owner_ == os::current_process_id() ? look() : phase_;
  switch (phase) {
    case Phase::initial: out << ", initial"; break;
    case Phase::started: out << ", started" << (daemon_ ? " daemon " : " ") << child_.pid; break;
    case Phase::stopped:
      out << ", stopped " << child_.pid << ", exitcode " << status_.as_exitcode();
      break;
    case Phase::closed: out << ", closed"; break;
  }
  out << ")>";
  return out.str();
}

bool ProcessRecord::must_be_joined() {
  const std::lock_guard lock(mutex_);
  return owner_ == os::current_process_id() && !daemon_ && look() == Phase::started;
}

void require_process_context(Context context) {
  if (context != Context::thread && context != Context::mpi) return;
  throw ValueError(
      "cannot make a process: Context::thread and Context::mpi are for a Pool; a Process takes "
      "forkserver, fork or spawn");
}

void throw_stays_here(Context context, const std::string& what) {
  throw ShipError(std::string("cannot make a process for Context::") +
                  (context == Context::spawn ? "spawn" : "forkserver") + ": " + what +
                  " can't travel to another process; bind values with "
                  "brood::task(f, values...), or use Context::fork");
}

std::shared_ptr<ProcessRecord> make_process_record(ProcessOptions options,
                                                   wire::ErasedCall target) {
  std::string name =
      options.name.empty() ? Children::instance().next_name() : std::move(options.name);
  const bool daemon = options.daemon.value_or(process::identity().daemon);
  return std::make_shared<ProcessRecord>(std::move(name), daemon, options.context,
                                         std::move(target));
}

}  // namespace brood::detail
