// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "explorer.hpp"
#include "lane/parent_end.hpp"
#include "lane/worker_end.hpp"
#include "lock.hpp"

namespace brood::model {

struct Plan {
  const char* name;
  unsigned tasks;
  std::size_t slots;
  unsigned crashes = 0;      // of workers, by themselves
  unsigned revocations = 0;  // of queued tasks, which then move
  unsigned condemned = 0;    // running tasks whose time is over
  unsigned bundled = 1;      // tasks that share a slot
  unsigned cuts = 0;         // of bundles that a worker is at
  bool user_waits = true;    // else the supervisor does all, and is rung
};

// One lane at a time, at both ends the real one: a user's thread and a supervisor
// share the parent's end under a lock, as the engine's do, and a worker has the
// other. When it dies another one gets a lane of its own.
class LaneWorld final : public World {
 public:
  explicit LaneWorld(const Plan& plan);

  Hash state() const override;
  void check_end() override;
  std::string describe(const Step& step) const override;
  Peril peril(unsigned fiber) const override;
  void died(unsigned fiber) override;
  std::string stuck() const override;

 private:
  enum class Fate : std::uint8_t { open, answered, crashed, timed_out };
  struct Task {
    Fate fate = Fate::open;
    unsigned runs = 0;
    unsigned endings = 0;
  };
  // What lies in a slot.
  struct Given {
    std::vector<int> tasks;  // -1: moved, or has ended though its bundle has not
    bool is_cut = false;

    bool is_moved() const {
      return std::all_of(tasks.begin(), tasks.end(), [](int task) { return task < 0; });
    }
  };
  struct Worker {
    std::unique_ptr<lane::ParentEnd> lane;
    std::vector<Given> given;  // by position, modulo
    unsigned fiber = most_fibers;
    int running = -1;    // the task whose code is being run
    int condemned = -1;  // it's being killed for this one
    bool kill_sent = false;
    bool dead = false;
    bool buried = false;
  };
  using Wakes = std::vector<lane::ParentEnd*>;

  void user();
  void supervise();
  void work(Worker& worker);
  void run_one(Worker& worker, const lane::Claim& claim);
  void run_bundle(Worker& worker, lane::WorkerEnd& end, const lane::Claim& claim);
  void enter_user_code(Worker& worker, int task);

  // Under the lock.
  void lock();
  void unlock() { lock_.unlock(); }
  void hire();
  void dispatch(Wakes& wakes);
  bool give_next(Worker& worker);
  void drain();
  void meddle();
  void settle(Given& given, const lane::Answer& answer);
  void give_back(Given& given, std::size_t from);
  void end(int task, Fate fate);
  void bury(Worker& worker);
  void revoke_one();
  void condemn_one();
  void cut_one();
  void close();
  Hash pool_state() const;
  bool all_settled() const;
  Worker& current() { return *workers_.back(); }
  static Given& given_at(Worker& worker, std::uint64_t position) {
    return worker.given[position & (worker.given.size() - 1)];
  }

  void check_slots_are_free(Worker& worker);
  Worker* worker_of(unsigned fiber) const;

  const Plan plan_;
  Lock lock_;
  std::vector<Task> tasks_;
  std::deque<int> backlog_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<std::uint32_t> news_{0};  // on which the user sleeps as well
  unsigned crashes_left_;
  unsigned revocations_left_;
  unsigned condemned_left_;
  unsigned cuts_left_;
  unsigned deaths_ = 0;
  unsigned blamed_ = 0;
  bool closed_ = false;
};

}  // namespace brood::model
