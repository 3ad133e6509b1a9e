// SPDX-License-Identifier: MIT
//
// How workers come to be: births, and what a death before the first task means.
#include <algorithm>
#include <new>
#include <utility>

#include <brood/base/error.hpp>
#include <brood/wire/exception_record.hpp>

#include "os/child_setup.hpp"
#include "pool/end_of_task.hpp"
#include "pool/placement.hpp"
#include "pool/process_core.hpp"
#include "pool/worker.hpp"
#include "process/home.hpp"

namespace brood::detail {
namespace {

using namespace std::chrono_literals;

// So many workers in a row that died before they were ready mean that none will
// ever be.
constexpr unsigned most_deaths_at_start = 5;

// After a birth that the system refused.
constexpr auto before_the_next_try = 100ms;

}  // namespace

// From the pool's own nursery, if it has one, or the program's: when that has died, from its
// twin, or from one that is made, and preloaded, anew.
template <typename Bear>
auto ProcessEngine::from_a_nursery(const Bear& bear) {
  if (!own_nursery_) return process::from_home_nursery(method(), bear);
  try {
    return bear(*own_nursery_);
  } catch (const ContextError&) {
    if (!promote_own_spare()) {
      if (!is_starting_ && options_.context == Context::fork) throw;
      start_own_nursery(is_starting_ ? Attention::none : Attention::pool);
    }
    return bear(*own_nursery_);
  }
}

// Whether it `lacks` one more is asked under the lock, with the number of those on their way.
// Each is handed to `settle` when it lives.
void ProcessEngine::bear_workers(const Lacks& lacks, const Settle& settle) {
  std::vector<Seat> unborn;
  std::size_t asked = 0;
  const auto next = [&]() -> std::optional<process::Request> {
    if (asked == unborn.size()) {
      std::size_t place = 0;
      {
        const std::lock_guard lock(mutex_);
        if (!lacks(unborn.size())) return std::nullopt;
        place = next_place(unborn);
      }
      unborn.push_back(make_worker(place));
    }
    return request_for(*unborn[asked++]);
  };
  const auto born = [&](os::Child child) {
    const Seat worker = std::move(unborn.front());
    unborn.erase(unborn.begin());
    --asked;
    worker->child = std::move(child);
    worker->lane.worker_has_them();
    settle(worker);
  };
  try {
    from_a_nursery([&](process::Nursery& nursery) {
      asked = 0;  // those of a nursery that died are asked for again
      nursery.births(next, born);
    });
  } catch (...) {
    for (const Seat& worker : unborn) abandon(*worker);
    throw;
  }
}

void ProcessEngine::start_workers() {
  if (broken_) return;
  workers_.reserve(wanted_workers_);
  const auto lacks = [&](std::size_t unborn) { return workers_.size() + unborn < wanted_workers_; };
  const auto settle = [&](const Seat& worker) {
    workers_.push_back(worker);
    poller_.watch(worker->child.pidfd.get(), worker->id);
  };
  try {
    bear_workers(lacks, settle);
  } catch (...) {
    kill_workers();
    throw;
  }
}

// Of a pool that was not to be.
void ProcessEngine::kill_workers() noexcept {
  for (const Seat& worker : workers_) {
    os::send_signal_to_group(worker->child, os::kill_signal);
    os::wait_for_end(worker->child.pidfd.get(), Deadline());
    os::reap(worker->child);
  }
}

os::Child ProcessEngine::bear(const process::Order& order, std::span<const int> descriptors) {
  return from_a_nursery(
      [&](process::Nursery& nursery) { return nursery.birth(order, descriptors); });
}

std::size_t ProcessEngine::next_place(const std::vector<Seat>& unborn) const {
  if (charter_.places.empty()) return 0;
  std::vector<std::size_t> taken = places_of(workers_);
  for (const std::size_t place : places_of(unborn)) taken.push_back(place);
  return free_place(charter_.places.size(), taken);
}

ProcessEngine::Seat ProcessEngine::make_worker(std::size_t place) {
  const auto worker = std::make_shared<Worker>(lane::Geometry{}, next_worker_id_++);
  worker->place = place;
  if (groups_) worker->memory = groups_->add(worker->id, charter_.memory_limit);
  return worker;
}

process::Request ProcessEngine::request_for(const Worker& worker) const {
  process::Request request;
  request.order.entry = wire::locate(&worker_main);
  request.order.method = own_nursery_ ? process::StartMethod::forked : method();
  request.order.number = static_cast<std::uint32_t>(worker.place);
  request.order.set_name(charter_.pool_name + "-" + std::to_string(worker.id + 1));
  request.descriptors = {worker.lane.memory(), worker.lane.worker_channel(), bell_.fd(),
                         charter_memory_.get()};
  if (worker.memory) request.descriptors.push_back(worker.memory->procs());
  return request;
}

// One that was not born.
void ProcessEngine::abandon(Worker& worker) {
  if (worker.memory) groups_->remove(*worker.memory);
}

void ProcessEngine::note_death_at_start(Worker& worker, const os::ExitStatus& how,
                                        Aftermath& after) {
  const lane::Startup startup = worker.lane.startup();
  if (startup == lane::Startup::ready || terminated_) {
    deaths_at_start_ = 0;
    return;
  }
  if (startup == lane::Startup::failed) {
    break_of_failed_start(worker, after);
    return;
  }
  // Not in a row, if one that was born since then got through.
  const bool one_is_ready = std::any_of(workers_.begin(), workers_.end(), [&](const Seat& other) {
    return other->id > latest_death_at_start_ && other->lane.startup() == lane::Startup::ready;
  });
  if (one_is_ready) deaths_at_start_ = 0;
  latest_death_at_start_ = worker.id;
  ++deaths_at_start_;
  if (!charter_.initializer.given && deaths_at_start_ < most_deaths_at_start) return;
  const std::string which = charter_.initializer.given ? "a worker that ran its initializer "
                                                       : "each worker that is born ";
  const os::CrashNotes notes = os::read_notes(worker.lane.crash_record());
  const std::string end = describe_end(how, notes, memory_end_of(worker, how, notes));
  break_pool(std::make_exception_ptr(BrokenPool("cannot use this pool: " + which + end)), after);
}

// Its initializer threw, or what the system did for it before.
void ProcessEngine::break_of_failed_start(const Worker& worker, Aftermath& after) {
  std::string why;
  try {
    std::rethrow_exception(wire::decode_exception(worker.lane.startup_failure(), worker.child.pid));
  } catch (const std::bad_alloc& thrown) {
    why = thrown.what();
    if (charter_.memory_limit != 0) {
      why += ", with a memory_limit of " + in_words(charter_.memory_limit);
    }
  } catch (const std::exception& thrown) {
    why = thrown.what();
  } catch (...) {
    why = "it threw something that is no std::exception";
  }
  const std::string what = charter_.initializer.given ? "its initializer" : "the start of a worker";
  break_pool(
      std::make_exception_ptr(BrokenPool("cannot use this pool: " + what + " failed: " + why)),
      after);
}

// Where there's nobody left to work and nobody can be born, the pool is broken;
// else it's tried again.
void ProcessEngine::give_birth_where_needed() {
  const auto lacks = [&](std::size_t unborn) {
    if (ending_ || terminated_ || broken_) return false;
    const auto alive = static_cast<std::size_t>(
        std::count_if(workers_.begin(), workers_.end(),
                      [](const Seat& worker) { return worker->phase != Worker::Phase::retiring; }));
    return alive + unborn < wanted_workers_;
  };
  {
    const std::lock_guard lock(mutex_);
    if (!lacks(0)) return;
    plan_spares(Clock::now());
  }
  Aftermath after;
  try {
    bear_workers(lacks, [&](const Seat& worker) { settle_later_worker(worker); });
  } catch (const BrokenPool&) {
    const std::lock_guard lock(mutex_);
    break_pool(std::current_exception(), after);
  } catch (const std::exception& why) {
    const std::lock_guard lock(mutex_);
    if (workers_.empty()) {
      break_pool(std::make_exception_ptr(BrokenPool(
                     std::string("cannot use this pool: no worker can be started: ") + why.what())),
                 after);
    } else {
      set_alarm(Clock::now() + before_the_next_try);
    }
  }
  carry_out(after);
}

// It may begin at once, whoever else is on their way.
void ProcessEngine::settle_later_worker(const Seat& worker) {
  Aftermath after;
  {
    const std::lock_guard lock(mutex_);
    worker->replaces_another = true;
    poller_.watch(worker->child.pidfd.get(), worker->id);
    const auto position =
        position_of_newborn(charter_.places.size(), places_of(workers_), worker->place);
    workers_.insert(workers_.begin() + static_cast<std::ptrdiff_t>(position), worker);
    if (terminated_) after.rare().kill.push_back(worker);
    ++counted_.respawned;
    rebalance(after);
    dispatch(after);
  }
  carry_out(after);
}

bool ProcessEngine::own_spare_lives() const noexcept {
  return own_spare_ && own_spare_->is_alive();
}

// In the place of the pool's nursery, which has died. False where it has died too.
bool ProcessEngine::promote_own_spare() noexcept {
  if (!own_spare_lives()) return false;
  own_nursery_ = std::move(own_spare_);
  return true;
}

// Not with the births: a nursery would be busy with its twin, and so would a core,
// while workers start.
void ProcessEngine::plan_spares(Clock::time_point now) {
  if (spares_due_ != Clock::time_point::max()) return;
  spares_due_ = now + before_spares;
  set_alarm(spares_due_);
}

void ProcessEngine::renew_spares_when_due() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (Clock::now() < spares_due_) return;
    spares_due_ = Clock::time_point::max();
  }
  renew_spares();
}

// The nurseries' twins stand by. Without them the pool goes on; they are missed
// when a nursery dies, or made at the next birth.
void ProcessEngine::renew_spares() noexcept {
  try {
    if (options_.context != Context::fork) process::renew_spare_nursery();
    if (!own_nursery_) return;
    if (!own_nursery_->is_alive()) promote_own_spare();
    if (!own_spare_lives()) own_spare_ = process::make_twin(*own_nursery_);
  } catch (const std::exception&) {
  }
}

}  // namespace brood::detail
