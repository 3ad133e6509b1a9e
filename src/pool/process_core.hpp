// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <brood/pool/core.hpp>
#include <brood/pool/options.hpp>
#include <brood/pool/work.hpp>

#include "os/futex.hpp"
#include "os/poller.hpp"
#include "os/spin.hpp"
#include "os/steady_now.hpp"
#include "pool/backlog.hpp"
#include "pool/broom.hpp"
#include "pool/callback_thread.hpp"
#include "pool/charter.hpp"
#include "pool/few.hpp"
#include "pool/id_table.hpp"
#include "pool/memory_watch.hpp"
#include "pool/pool_size.hpp"
#include "pool/process_worker.hpp"
#include "pool/wake_list.hpp"
#include "process/home.hpp"
#include "process/nursery.hpp"
#include "process/order.hpp"

namespace brood::detail {

// The engine behind a Pool of worker processes.
//
//     submit -> backlog -> a lane -> settled
//     run  ----------------^  where nobody is in line and a worker is idle
//
// Invariant: an item that is not settled is in the backlog (its job's part that
// was not handed out, or was returned) or in exactly one piece of one lane. A
// death, a withdrawal and an answer each take it out of its piece under the
// lock, so no item is forgotten and none runs twice.
//
// Who moves things on: every thread that waits for a job, while it waits; and
// the supervisor, when a worker rings. A worker rings on slots that carry the
// bell bit: those of jobs that somebody outside wait() listens to, and with a
// backlog and no waiter the half-way slot of each lane. Whoever settles a closed
// pool's last job rings too.
//
// Safety: one lock, held for short moves of memory only: never across a system
// call that can block, user code, or a birth.
class ProcessEngine final : public Core {
 public:
  ProcessEngine(const PoolOptions& options, const PoolSize& size);
  ~ProcessEngine() override;

  bool runs_here() const noexcept override { return false; }
  std::size_t workers() const noexcept override;
  // Safety: takes the lock only where it has to look after what is in line.
  void submit(const JobRef<Job>& job) override;
  void run(const JobRef<Job>& job) override;
  bool wait(Job& job, const Deadline& deadline) override;
  void progress() override;
  bool cancel(Job& job, Timeout grace) override;
  void listen(Job& job) noexcept override;
  void resume_later(const JobRef<Job>& job, std::coroutine_handle<> waiting) override;
  std::size_t settled_items(const MapJob& map) override;
  JobState poll(JobId id) override;
  void close() override;
  bool join(const Deadline& deadline) override;
  void terminate() noexcept override;
  void resize(std::size_t workers) override;
  PoolStats stats() override;

 private:
  using Clock = std::chrono::steady_clock;
  using Seat = std::shared_ptr<Worker>;

  // What is owed once the lock is open again: wakes are system calls.
  struct Aftermath {
    WakeList wake;
    Few<JobRef<Job>, 2> announce;
    Few<JobRef<Job>, 2> moved;  // their waiters must look again
    bool ring = false;
    // What most have nothing of.
    struct Rare {
      std::vector<Seat> ask;  // for their stacks
      std::vector<Seat> warn;
      std::vector<Seat> kill;
      std::vector<Seat> buried;  // their control groups can go
      std::vector<lane::ParentEnd::KeptMemory> unused;
      bool forget_blocks = false;
    };
    std::unique_ptr<Rare> rare_or_null;
    Rare& rare() {
      if (!rare_or_null) rare_or_null = std::make_unique<Rare>();
      return *rare_or_null;
    }
    // One look at the clock serves all that is given and taken under one lock.
    // By somebody who has just looked.
    void know(Clock::time_point now) noexcept { now_ = now; }
    Clock::time_point now() noexcept {
      if (now_ == Clock::time_point{}) now_ = os::steady_now();
      return now_;
    }

   private:
    Clock::time_point now_{};
  };
  void carry_out(Aftermath& after) noexcept;
  static void carry_out(const Aftermath::Rare& after) noexcept;

  // process_engine.cpp
  bool needs_own_nursery() const noexcept;
  void hold_spare() const;
  void drop_spare() const noexcept;
  process::StartingThread start_supervisor();
  void make_memory_groups();
  void make_own_nursery();
  enum class Attention { none, pool };
  void bear_own_nursery();
  void start_own_nursery(Attention meanwhile);
  std::vector<std::byte> hear_of_preload(Attention meanwhile);
  process::StartMethod method() const noexcept;
  // Where a thread that waits for a job looks for news.
  struct Outlook {
    Few<os::FutexWaiter, 5> places;   // the job's own word first
    Few<Seat, 4> held;                // whose lanes the others are in
    Few<std::uint64_t, 4> positions;  // there, one for each of held
  };
  enum class Intent { look, sleep };
  // Of a thread that waits: whether it looks after all lanes meanwhile.
  enum class Role { guest, caretaker };
  bool outlook(Job& job, Intent intent, Role role, Outlook& found);
  bool has_idle_core() const;
  static bool has_news(const Job& job, const Outlook& outlook) noexcept;

  // process_submit.cpp
  void require_open() const;
  bool is_cared_for() noexcept;
  void submit_first(const JobRef<Job>& job, Aftermath& after);
  void look_after(Job& job, Aftermath& after);
  void settle_too_late(Job& job, Aftermath& after);

  // process_direct.cpp
  static os::Spin& own_spin() noexcept;
  bool run_directly(const JobRef<Job>& job, NumberRange& ids);
  const Seat* choose_idle_worker();
  bool give_directly(const Seat& worker, Job& job, Aftermath& after);
  void sleep_directly(Job& job);
  bool take_directly(const Seat& worker, Job& job, std::uint64_t position, Aftermath& after);
  bool settle_directly(Worker& worker, Job& job, const lane::Answer& answer, Aftermath& after);

  // process_dispatch.cpp, all under the lock
  void look_in_line() noexcept;
  void put_in_line_first(Job& job);
  void dispatch(Aftermath& after);
  bool may_run_dry(Aftermath& after);
  bool is_soon_done(std::size_t pieces) const noexcept;
  bool is_soon_done(Worker& worker, Aftermath& after) const noexcept;
  void give_all(Aftermath& after);
  const Seat* choose_worker();
  bool give_late_piece(const Seat& worker, MapJob& map, MapJob::Range range, Aftermath& after);
  // Who sees that it ends, and when: whoever looks, or the caller, who looks out for it.
  enum class Witness { anybody, caller };
  bool give_request(const Seat& worker, Job& job, const Request& request, MapJob::Range range,
                    Witness witness, Aftermath& after);
  bool give_piece(const Seat& worker, Job& job, Aftermath& after);
  static void take_range(MapJob& map, std::size_t count);
  JobRef<Job> hold(Job& job);
  void fail_range(Job& in_line, const MapJob::Range& range, Aftermath& after);
  MapJob::Range next_range(MapJob& map) const;
  std::size_t chunk_of(const MapJob& map, std::size_t left) const;
  void adapt_depth(Worker& worker) const;
  void arm_bells(Aftermath& after);
  void expect_deadline(const Job& job);

  // process_settle.cpp, all under the lock
  void drain(Aftermath& after);
  void drain(const Seat& worker, Aftermath& after, const Job* held = nullptr);
  bool take_in(const Seat& worker, lane::Answer& answer, Aftermath& after, const Job* held);
  void note_large_one(Worker& worker, Aftermath& after);
  void count_waiting(const Piece& piece, const lane::Answer& answer, Clock::duration run,
                     Aftermath& after);
  void settle(Worker& worker, const Piece& piece, lane::Answer& answer, Aftermath& after);
  std::chrono::nanoseconds account_for(const Piece& piece, const lane::Answer& answer,
                                       Aftermath& after);
  void settle_piece(Worker& worker, const Piece& piece, lane::Answer& answer, Aftermath& after);
  bool settle_trailer(Worker& worker, Job& job, std::size_t item, const lane::Answer& answer);
  void keep(Job& job, std::size_t first, std::size_t count, std::span<const std::byte> values);
  void keep_trailer(Worker& worker, Job& job, std::size_t item, const lane::Answer& answer);
  template <typename Keep>
  void keep_or_fail(Job& job, std::size_t first, std::size_t count, const Keep& keep);
  void fail_item(Job& job, std::size_t item, Failure failure);
  void fail_items(Job& job, std::size_t first, std::size_t count);
  void give_back(const Piece& piece, std::size_t settled);
  void settle_if_complete(Job& job, Aftermath& after);
  void settle_whole(Job& job, Job::Outcome outcome, std::exception_ptr error, Aftermath& after);
  void finish_settling(Job& job, Job::Outcome outcome, Aftermath& after);
  void bury(const Seat& worker, const os::ExitStatus& how, Aftermath& after);
  void settle_crashed(Worker& worker, const Piece& piece, lane::Answer& answer,
                      const os::ExitStatus& how, Aftermath& after);
  static bool is_crashed(lane::Answer& answer) noexcept;
  bool settle_crash(const Worker& worker, Job& job, std::size_t item, const os::ExitStatus& how);
  bool try_again(Job& job, std::size_t item);
  void cancel_everything(const char* why, Aftermath& after);
  void break_pool(std::exception_ptr why, Aftermath& after);
  void withdraw(const Seat& worker, std::uint64_t position, Timeout grace, Aftermath& after);
  void ask_to_stop(const Seat& worker, std::uint64_t position, Timeout grace);

  // process_bundles.cpp, all under the lock
  std::size_t bundle_size(const Job& first) const noexcept;
  bool give_bundle(const Seat& worker, std::size_t most, Aftermath& after);
  void note_call(const WorkerCode& code, std::uint64_t nanoseconds, bool undisturbed) noexcept;
  void settle_ended(std::span<JobRef<Job>> jobs, const lane::Answer& answer, Aftermath& after);
  void settle_bundle(Worker& worker, const Piece& piece, lane::Answer& answer, Aftermath& after);
  void settle_crashed_bundle(Worker& worker, const Piece& piece, lane::Answer& answer,
                             const os::ExitStatus& how, Aftermath& after);
  void take_back(std::span<JobRef<Job>> jobs, const Piece& piece, Aftermath& after);
  bool revoke_bundle(const Seat& worker, std::uint64_t position, Aftermath& after);
  void cut_bundle(const Seat& worker, std::uint64_t position, Aftermath& after);
  void withdraw_bundled(const Seat& worker, std::uint64_t position, Timeout grace,
                        Aftermath& after);
  void watch_bundles(Aftermath& after);
  bool watch_bundle(const Seat& worker, Aftermath& after);

  // process_supervisor.cpp
  void supervise() noexcept;
  using Reserve = std::unique_ptr<std::byte[]>;
  bool supervise_once(Reserve& reserve);
  void attend(const std::vector<std::uint64_t>& ready);
  bool is_done() const;
  void meet_deadlines(Aftermath& after);
  Clock::time_point check_worker_deadlines(const Seat& worker, Clock::time_point now,
                                           Aftermath& after);
  void reap_dead(const std::vector<std::uint64_t>& ids, Aftermath& after);
  MemoryEnd memory_end_of(const Worker& worker, const os::ExitStatus& how,
                          const os::CrashNotes& notes);
  void remove_groups_of(const std::vector<Seat>& buried);
  void rebalance(Aftermath& after);
  void release_idle_workers(Aftermath& after);
  void set_alarm(Clock::time_point at);
  // After a large request the memory that it lay in is kept so long for the next.
  static constexpr std::chrono::seconds unused_memory_patience{1};
  // By then workers that were just born are at work.
  static constexpr std::chrono::milliseconds before_spares{20};
  Clock::time_point forget_unused_blocks(Clock::time_point now, Aftermath& after);
  Clock::time_point forget_unused_memory(Worker& worker, Clock::time_point now, Aftermath& after);
  void time_out(const Seat& worker, Aftermath& after);
  bool move_on(const Seat& worker, Clock::time_point now, Aftermath& after);
  void warn(const Seat& worker, Clock::time_point now, Aftermath& after);

  // process_control.cpp
  template <typename Visit>
  void for_each_piece_of(const Job& job, const Visit& visit) const;

  // process_births.cpp
  using Lacks = std::function<bool(std::size_t unborn)>;
  using Settle = std::function<void(const Seat&)>;
  void bear_workers(const Lacks& lacks, const Settle& settle);
  void start_workers();
  void kill_workers() noexcept;
  template <typename Bear>
  auto from_a_nursery(const Bear& bear);
  os::Child bear(const process::Order& order, std::span<const int> descriptors);
  void note_death_at_start(Worker& worker, const os::ExitStatus& how, Aftermath& after);
  void break_of_failed_start(const Worker& worker, Aftermath& after);
  void give_birth_where_needed();
  void settle_later_worker(const Seat& worker);
  void plan_spares(Clock::time_point now);
  void renew_spares_when_due() noexcept;
  void renew_spares() noexcept;
  bool own_spare_lives() const noexcept;
  bool promote_own_spare() noexcept;
  std::size_t next_place(const std::vector<Seat>& unborn) const;
  // With its lane, before it is born.
  Seat make_worker(std::size_t place);
  process::Request request_for(const Worker& worker) const;
  void abandon(Worker& worker);

  // What it costs to wake a worker, and then some on the core that it takes.
  static constexpr double wake_nanoseconds = 5e3;

  // Workers are watched by their ids.
  static constexpr std::uint64_t bell_tag = ~std::uint64_t{0};
  static constexpr std::uint64_t alarm_tag = bell_tag - 1;

  const PoolOptions options_;
  const std::size_t most_items_;  // of one worker's life, 0: no limit
  const std::size_t cpus_;
  Charter charter_;
  os::UniqueFd charter_memory_;
  // By the constructor, then by the supervisor.
  std::shared_ptr<process::Nursery> own_nursery_;
  std::shared_ptr<process::Nursery> own_spare_;
  bool is_starting_ = true;  // there's no supervisor yet

  std::optional<Broom> broom_;
  std::optional<os::MemoryGroups> groups_;
  std::chrono::milliseconds until_groups_are_empty_{0};

  // What can be told without the lock, in a line of its own. Whether what is put in line needs no
  // look at the lanes: there is a line, and whoever empties the lanes goes on with it.
  alignas(64) std::atomic<bool> cared_for_{false};
  std::atomic<bool> refuses_{false};             // closed_, terminated_ or broken_
  std::atomic<std::size_t> waiting_threads_{0};  // inside wait(), that look after all lanes

  alignas(64) mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<Seat> workers_;
  Backlog backlog_;
  IdTable ids_;
  std::size_t wanted_workers_ = 0;
  bool is_called_ = false;           // the supervisor, to give what is in line
  std::int64_t unsettled_jobs_ = 0;  // of those that look_in_line has seen
  double piece_nanoseconds_ = 0;     // measured, smoothed
  std::size_t undisturbed_ = 0;      // calls or bundles, since the last that ended early
  bool closed_ = false;
  bool terminated_ = false;
  bool ending_ = false;  // the workers are to leave
  std::exception_ptr broken_;
  unsigned deaths_at_start_ = 0;             // in a row
  std::uint64_t latest_death_at_start_ = 0;  // the worker's id
  MemoryWatch memory_;
  PoolStats counted_;
  struct Grace {
    std::weak_ptr<Worker> worker;
    std::uint64_t position;
    Clock::time_point end;
  };
  std::vector<Grace> graces_;
  Clock::time_point alarm_at_ = Clock::time_point::max();
  Clock::time_point spares_due_ = Clock::time_point::max();
  Clock::time_point latest_large_{};  // when it was done
  bool keeps_blocks_ = false;         // maybe, of large requests
  bool supervisor_done_ = false;
  std::condition_variable supervisor_ended_;

  std::uint64_t next_worker_id_ = 0;
  os::Poller poller_;
  std::vector<std::uint64_t> ready_;  // the supervisor's copy of what poller_ said
  os::Bell bell_;
  os::Alarm alarm_;
  CallbackThread callbacks_;
  std::mutex ending_mutex_;  // one thread at a time joins the supervisor
  std::thread supervisor_;
  std::binary_semaphore supervisor_may_begin_{0};
  bool has_failed_ = false;  // there's nothing to supervise
};

}  // namespace brood::detail
