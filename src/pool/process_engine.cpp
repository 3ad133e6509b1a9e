// SPDX-License-Identifier: MIT
#include "pool/process_engine.hpp"

#include <algorithm>
#include <system_error>

#include <brood/base/error.hpp>
#include <brood/wire/exception_record.hpp>

#include "os/channel.hpp"
#include "os/child_setup.hpp"
#include "os/crash_handler.hpp"
#include "os/large_blocks.hpp"
#include "os/spin.hpp"
#include "os/thread_list.hpp"
#include "pool/end_of_task.hpp"
#include "pool/placement.hpp"
#include "pool/priority.hpp"
#include "pool/process_core.hpp"
#include "pool/worker.hpp"
#include "process/home.hpp"

namespace brood::detail {
namespace {

Charter::Errand errand_of(const wire::ErasedCall& call) {
  Charter::Errand errand;
  if (!call) return errand;
  errand.given = true;
  errand.bytes.assign(call.encoded().begin(), call.encoded().end());
  return errand;
}

Charter charter_of(const PoolOptions& options, const PoolSize& size) {
  Charter charter;
  charter.pool_name = options.name.empty() ? "Pool" : options.name;
  charter.initializer = errand_of(options.initializer);
  charter.preload = errand_of(options.preload);
  charter.share = size.share_of_a_task;
  charter.places = places_for(options);
  charter.niceness = niceness_for(options);
  if (options.memory_limit.given()) {
    charter.memory_limit = static_cast<std::uint64_t>(options.memory_limit.number());
  }
  if (options.maxtasksperchild.given()) {
    charter.most_items = static_cast<std::uint64_t>(options.maxtasksperchild.number());
  }
  return charter;
}

}  // namespace

Core* make_process_engine(const PoolOptions& options) {
  return new ProcessEngine(options, pool_size(options));
}

ProcessEngine::ProcessEngine(const PoolOptions& options, const PoolSize& size)
    : options_(options),
      most_items_(options.maxtasksperchild.given()
                      ? static_cast<std::size_t>(options.maxtasksperchild.number())
                      : 0),
      cpus_(size.cpus),
      charter_(charter_of(options, size)),
      charter_memory_(charter_.to_memory()),
      wanted_workers_(size.workers),
      memory_(charter_.memory_limit) {
  if (options.context == Context::forkserver || options.context == Context::spawn) {
    process::make_home(process::Caller::library);
  }
  ready_.reserve(os::Poller::most_at_once);
  poller_.watch(bell_.fd(), bell_tag);
  poller_.watch(alarm_.fd(), alarm_tag);
  make_own_nursery();
  make_memory_groups();
  // It comes up while the nursery is busy with the workers.
  process::StartingThread supervisor = start_supervisor();
  try {
    start_workers();
  } catch (...) {
    has_failed_ = true;
    supervisor_may_begin_.release();
    supervisor.wait().join();
    drop_spare();
    throw;
  }
  supervisor_ = supervisor.wait();
  supervisor_may_begin_.release();
}

ProcessEngine::~ProcessEngine() {
  if (supervisor_.joinable()) supervisor_.detach();  // a copy of another process's pool
}

// For what must be copied from something else than the program as it was at
// brood::init: the program as it is (fork), or as a preload leaves it.
bool ProcessEngine::needs_own_nursery() const noexcept {
  return options_.context == Context::fork || charter_.preload.given;
}

// Of a pool of Context::spawn it's this one that is spawned, so that the preload runs
// once there too.
void ProcessEngine::bear_own_nursery() {
  process::Order order;
  order.entry = wire::locate(&preloading_nursery_main);
  order.method = method();
  order.set_name("brood-nursery");
  const int charter = charter_memory_.get();
  if (options_.context == Context::fork) {
    own_nursery_ = process::fork_nursery(order, std::span(&charter, 1), &preloading_nursery_main);
    return;
  }
  try {
    own_nursery_ = process::home_nursery()->make_another(order, std::span(&charter, 1));
  } catch (const ContextError&) {
    // The home's nursery died of it, and has been replaced.
    own_nursery_ = process::home_nursery()->make_another(order, std::span(&charter, 1));
  }
}

// Throws: BrokenPool when the preload failed.
void ProcessEngine::start_own_nursery(Attention meanwhile) {
  bear_own_nursery();
  const auto report = hear_of_preload(meanwhile);
  if (report.size() == 1) return;
  const os::ExitStatus how = own_nursery_->end();
  std::string why = "its nursery " + describe_end(how, {}, {});
  if (!report.empty()) {
    try {
      std::rethrow_exception(wire::decode_exception(report, own_nursery_->pid()));
    } catch (const std::exception& thrown) {
      why = thrown.what();
    } catch (...) {
      why = "it threw something that is no std::exception";
    }
  }
  throw BrokenPool("cannot use this pool: its preload failed: " + why);
}

// A preload may take its time, or never end. The supervisor has others to attend to
// meanwhile.
std::vector<std::byte> ProcessEngine::hear_of_preload(Attention meanwhile) {
  const int interruption = meanwhile == Attention::pool ? poller_.fd() : -1;
  for (;;) {
    if (auto report = own_nursery_->hear(most_preload_report, interruption)) return *report;
    attend(poller_.wait());
    const std::lock_guard lock(mutex_);
    if (!terminated_ && !ending_ && !broken_) continue;
    own_nursery_->end();
    throw ContextError("cannot preload: the pool has ended");
  }
}

process::StartMethod ProcessEngine::method() const noexcept {
  return options_.context == Context::spawn ? process::StartMethod::spawned
                                            : process::StartMethod::forked;
}

void ProcessEngine::make_own_nursery() {
  if (!needs_own_nursery()) return;
  try {
    start_own_nursery(Attention::none);
  } catch (const BrokenPool&) {
    Aftermath after;
    const std::lock_guard lock(mutex_);
    break_pool(std::current_exception(), after);
  }
}

// Without them, or without who would remove them if the program were killed, the
// workers limit themselves.
void ProcessEngine::make_memory_groups() {
  if (charter_.memory_limit == 0 || broken_) return;
  auto made = os::MemoryGroups::make();
  if (!made) return;
  groups_.emplace(std::move(*made));
  try {
    broom_.emplace(
        [this](const process::Order& order, std::span<const int> fds) { return bear(order, fds); },
        groups_->folder());
  } catch (const std::exception&) {
    groups_.reset();
  }
}

// A pool of copies of the program as it is has no use for the program's nursery.
void ProcessEngine::hold_spare() const {
  if (options_.context != Context::fork) process::hold_spare_nursery();
}
void ProcessEngine::drop_spare() const noexcept {
  if (options_.context != Context::fork) process::drop_spare_nursery();
}

process::StartingThread ProcessEngine::start_supervisor() {
  hold_spare();
  try {
    return {"brood-pool", [this] {
              supervisor_may_begin_.acquire();
              if (!has_failed_) supervise();
            }};
  } catch (const std::system_error& refusal) {
    drop_spare();
    throw SystemError(refusal.code().value(),
                      std::string("cannot start the pool's thread: ") + refusal.what() +
                          "; it needs some 8 MiB of address space (ulimit -v), and counts as a "
                          "process (ulimit -u)");
  }
}

std::size_t ProcessEngine::workers() const noexcept {
  if (!is_own()) return 0;
  const std::lock_guard lock(mutex_);
  return wanted_workers_;
}

void ProcessEngine::carry_out(const Aftermath::Rare& after) noexcept {
  if (after.forget_blocks) os::forget_large_blocks();
  for (const Seat& worker : after.ask) {
    os::ask_for_stack(worker->child, worker->lane.crash_record());
  }
  for (const Seat& worker : after.warn) {
    os::send_signal_to_group(worker->child, os::terminate_signal);
  }
  for (const Seat& worker : after.kill) {
    os::send_signal_to_group(worker->child, os::kill_signal);
  }
}

void ProcessEngine::carry_out(Aftermath& after) noexcept {
  after.wake.for_each([](const Seat& worker) { worker->lane.wake(); });
  for (const auto& job : after.announce) job->announce();
  for (const auto& job : after.moved) job->look_again();
  if (after.rare_or_null) carry_out(*after.rare_or_null);
  if (after.ring) bell_.ring();
}

// The places whose change is worth a look: the job's own outcome and slot, and
// while there is more to give out, the half-way slot of each lane. False when
// one of them has changed already. With the intent to sleep each is marked, so
// that the sleeper is woken.
bool ProcessEngine::outlook(Job& job, Intent intent, Role role, Outlook& found) {
  if (intent == Intent::sleep) {
    const auto outcome = job.mark_waiter();
    if (!outcome) return false;
    found.places.push_back({&job.word(), *outcome, os::Sharing::in_process});
  }
  const bool everywhere = job.as_map() || (role == Role::caretaker && !backlog_.empty());
  for (const Seat& worker : workers_) {
    const std::size_t length = worker->lane.outstanding();
    const bool own = job.seat == static_cast<std::int32_t>(worker->id);
    if (length == 0 || (!own && !everywhere)) continue;
    if (found.places.size() == os::most_futex_waiters) break;
    std::uint64_t position = worker->lane.oldest() + (length - 1) / 2;
    if (own) {
      const std::uint64_t its = worker->lane.position_of(job.position_or_stamp);
      position = everywhere ? std::min(position, its) : its;
    }
    if (intent == Intent::sleep) {
      const auto place = worker->lane.mark_waiter(position);
      if (!place) return false;
      found.places.push_back(*place);
    }
    found.positions.push_back(position);
    found.held.push_back(worker);
  }
  return true;
}

bool ProcessEngine::has_idle_core() const {
  const auto busy = static_cast<std::size_t>(
      std::count_if(workers_.begin(), workers_.end(),
                    [](const Seat& worker) { return worker->lane.outstanding() != 0; }));
  return busy < cpus_;
}

bool ProcessEngine::has_news(const Job& job, const Outlook& outlook) noexcept {
  if (job.ready()) return true;
  for (std::size_t i = 0; i < outlook.held.size(); ++i) {
    if (!outlook.held[i]->lane.is_open(outlook.positions[i])) return true;
  }
  return false;
}

bool ProcessEngine::wait(Job& job, const Deadline& deadline) {
  if (job.ready()) return true;
  require_own();
  os::Spin& spin = own_spin();
  auto intent = os::Spin::is_hurried(deadline) ? Intent::sleep : Intent::look;
  auto role = Role::guest;
  bool in_time = true;
  bool is_first = true;
  for (;;) {
    Aftermath after;
    Outlook found;
    bool is_open = false;
    bool leave = false;
    {
      const std::lock_guard lock(mutex_);
      // One of those that wait for calls looks after all lanes; were it all of them, each
      // half of a lane would wake them all.
      if (role == Role::guest && (job.as_map() || waiting_threads_ == 0)) {
        role = Role::caretaker;
        ++waiting_threads_;
      }
      // The first time its worker has hardly begun; to look at the slot would take it away
      // from there.
      const bool only_looks = std::exchange(is_first, false) && intent == Intent::look &&
                              job.seat >= 0 && backlog_.empty() && !cared_for_.load();
      if (!only_looks) {
        drain(after);
        dispatch(after);
      }
      leave = job.ready() || !in_time;
      if (leave) {
        if (role == Role::caretaker && --waiting_threads_ == 0) arm_bells(after);
      } else {
        // Who looks must not take the place of who works.
        if (intent == Intent::look && !has_idle_core()) intent = Intent::sleep;
        is_open = outlook(job, intent, role, found);
      }
    }
    carry_out(after);
    if (leave) return job.ready();
    if (!is_open) continue;
    if (intent == Intent::look) {
      if (!spin.until([&] { return has_news(job, found); })) intent = Intent::sleep;
    } else if (os::has_futex_wait_any()) {
      in_time = os::futex_wait_any(found.places.data(), static_cast<unsigned>(found.places.size()),
                                   deadline);
      intent = Intent::look;
    } else {
      listen(job);
      in_time = os::futex_wait_private(job.word(), found.places.front().expected, deadline);
    }
  }
}

}  // namespace brood::detail
