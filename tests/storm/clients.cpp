// SPDX-License-Identifier: MIT
#include "clients.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <stdexcept>
#include <vector>

#include <brood/brood.hpp>

#include "board.hpp"
#include "run.hpp"
#include "tasks.hpp"

namespace brood::storm {
namespace {

using namespace std::chrono_literals;

// What may become of a task besides a value and a crash.
enum class Also { nothing, timeout, cancellation, complaint };

std::string named(std::uint64_t task) { return "task " + std::to_string(task); }

void count(std::atomic<std::uint64_t>& outcome) {
  ++outcome;
  ++run().settled;
  run().settled.notify_all();
}

void require_runs(std::uint64_t task, unsigned least, unsigned most, const char* end) {
  const unsigned runs = runs_of(task);
  if (runs >= least && runs <= most) return;
  fail(named(task) + " ran " + std::to_string(runs) + " times, and ended with " + end);
}

template <typename Value>
void check_value(std::uint64_t task, const Value& value, const Value& right) {
  if (value != right) fail(named(task) + " gave a wrong value");
  require_runs(task, 1, 1, "its value");
  count(run().tally.values);
}

void check_error(std::uint64_t task, const std::exception_ptr& error, Also also) {
  try {
    std::rethrow_exception(error);
  } catch (const WorkerCrashed& crash) {
    if (crash.signal() != 9) fail(named(task) + ": " + crash.what());
    require_runs(task, 0, 1, crash.what());
    count(run().tally.crashed);
  } catch (const TaskTimeout& late) {
    if (also != Also::timeout) fail(named(task) + ": " + late.what());
    require_runs(task, 0, 1, late.what());
    count(run().tally.timed_out);
  } catch (const CancelledError& withdrawn) {
    if (also != Also::cancellation) fail(named(task) + ": " + withdrawn.what());
    require_runs(task, 0, 1, withdrawn.what());
    count(run().tally.cancelled);
  } catch (const std::out_of_range& thrown) {
    if (also != Also::complaint || thrown.what() != complaint_of(task)) {
      fail(named(task) + ": " + thrown.what());
    }
    require_runs(task, 1, 1, thrown.what());
    count(run().tally.thrown);
  } catch (const std::exception& strange) {
    fail(named(task) + " ended strangely: " + strange.what());
  }
}

template <typename Value>
void settle(const AsyncResult<Value>& result, std::uint64_t task, const Value& right,
            Also also = Also::nothing) {
  std::exception_ptr error;
  try {
    const Value& value = result.get();
    return check_value(task, value, right);
  } catch (...) {
    error = std::current_exception();
  }
  check_error(task, error, also);
}

class Client {
 public:
  explicit Client(std::uint64_t seed) : random_(seed) {}

  void one_round() {
    using Round = void (Client::*)();
    constexpr std::array<std::pair<unsigned, Round>, 11> rounds{{
        {25, &Client::calls},
        {20, &Client::flat_map},
        {15, &Client::spelled_map},
        {15, &Client::lazy_map},
        {8, &Client::callbacks},
        {6, &Client::complaints},
        {4, &Client::large_ones},
        {4, &Client::cancellations},
        {3, &Client::deadlines},
        {3, &Client::timed_map},
        {3, &Client::close_finishes},
    }};
    unsigned sum = 0;
    for (const auto& [weight, round] : rounds) sum += weight;
    auto drawn = below(random_, sum);
    for (const auto& [weight, round] : rounds) {
      if (drawn < weight) return (this->*round)();
      drawn -= weight;
    }
  }

 private:
  Pool& pool() { return *run().pool; }

  std::vector<std::uint64_t> some_tasks(std::uint64_t most) {
    const std::uint64_t number = 1 + below(random_, most);
    const std::uint64_t first = run().next_task.fetch_add(number);
    if (first + number > board().capacity) {
      fail("the killer did not get its kills within the tasks that there are numbers for");
    }
    std::vector<std::uint64_t> tasks(number);
    for (std::uint64_t i = 0; i < number; ++i) tasks[i] = first + i;
    return tasks;
  }
  Count some_chunk() { return below(random_, 3) == 0 ? Count{} : Count{1 + below(random_, 40)}; }

  void calls() {
    const auto tasks = some_tasks(100);
    std::vector<AsyncResult<std::uint64_t>> results;
    for (const auto task : tasks) results.push_back(pool().apply_async(plain, task));
    for (std::size_t i = 0; i < tasks.size(); ++i)
      settle(results[i], tasks[i], answer_to(tasks[i]));
  }

  template <typename Value, typename MakeRight>
  void check_map(const std::vector<std::uint64_t>& tasks, const std::vector<Outcome<Value>>& got,
                 MakeRight right, Also also = Also::nothing) {
    if (got.size() != tasks.size()) fail("a map of the wrong length came back");
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (got[i].has_value()) {
        check_value<Value>(tasks[i], *got[i], right(tasks[i]));
      } else {
        check_error(tasks[i], got[i].error(), also);
      }
    }
  }

  void flat_map() {
    const auto tasks = some_tasks(600);
    check_map(tasks, pool().map_outcomes(plain, tasks, some_chunk()), answer_to);
  }

  void spelled_map() {
    const auto tasks = some_tasks(300);
    check_map(tasks, pool().map_outcomes(spelled, tasks, some_chunk()),
              [](std::uint64_t task) { return std::to_string(answer_to(task)); });
  }

  void lazy_map() {
    const auto tasks = some_tasks(400);
    std::set<std::uint64_t> open(tasks.begin(), tasks.end());
    std::size_t crashed = 0;
    auto results = pool().imap_unordered(labelled, tasks, some_chunk());
    for (;;) {
      try {
        const auto result = results.next();
        if (!result) break;
        if (open.erase(result->first) != 1) fail(named(result->first) + " came twice");
        check_value(result->first, result->second, answer_to(result->first));
      } catch (const WorkerCrashed&) {
        ++crashed;
        count(run().tally.crashed);
      }
    }
    if (open.size() != crashed) fail("a lazy map has lost items, or has too many crashes");
  }

  void callbacks() {
    Run& now = run();
    const auto tasks = some_tasks(50);
    std::vector<AsyncResult<std::uint64_t>> results;
    for (const auto task : tasks) {
      ++now.asked;
      results.push_back(
          pool().apply_async({.callback = [&now](const std::uint64_t&) { ++now.heard; },
                              .error_callback = [&now](const std::exception_ptr&) { ++now.heard; }},
                             plain, task));
    }
    // From the back, so that others than the waited-for end first.
    for (std::size_t i = tasks.size(); i-- > 0;) settle(results[i], tasks[i], answer_to(tasks[i]));
  }

  void complaints() {
    const auto tasks = some_tasks(30);
    check_map(tasks, pool().map_outcomes(failing, tasks, some_chunk()), answer_to, Also::complaint);
  }

  void large_ones() {
    for (const auto task : some_tasks(4)) {
      const auto question = pool().apply_async(hear_large, large_question(task));
      settle(question, task, answer_to(task));
    }
    const auto tasks = some_tasks(4);
    check_map(tasks, pool().map_outcomes(speak_large, tasks, Count{2}), large_answer_to);
    const auto drawn = some_tasks(4);
    check_map(drawn, pool().map_outcomes(draw, drawn, Count{2}), picture_of);
  }

  void cancellations() {
    const auto tasks = some_tasks(12);
    std::vector<AsyncResult<std::uint64_t>> results;
    for (const auto task : tasks) {
      const auto kind = task % 4;
      results.push_back(kind == 0   ? pool().apply_async(stubborn, task)
                        : kind == 1 ? pool().apply_async(patient, task)
                                    : pool().apply_async(plain, task));
    }
    for (std::size_t i = tasks.size(); i-- > 0;) {
      const bool cancelled = results[i].cancel(below(random_, 2) == 0 ? 0ms : 2ms);
      if (cancelled && results[i].successful()) fail(named(tasks[i]) + " was cancelled in vain");
    }
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      settle(results[i], tasks[i], answer_to(tasks[i]), Also::cancellation);
    }
  }

  void deadlines() {
    const auto tasks = some_tasks(8);
    std::vector<AsyncResult<std::uint64_t>> results;
    for (const auto task : tasks) {
      results.push_back(pool().apply_async({.timeout = 5ms}, sometimes_stubborn, task));
    }
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      settle(results[i], tasks[i], answer_to(tasks[i]), Also::timeout);
    }
  }

  void timed_map() {
    const auto tasks = some_tasks(40);
    const auto got = pool().map_outcomes(
        {.chunksize = 1 + below(random_, 16), .timeout = 5ms, .errors = Errors::collect},
        sometimes_stubborn, tasks);
    check_map(tasks, got, answer_to, Also::timeout);
  }

  // Ends at the very moment of its deadline, in the hope of being condemned when
  // it says done.
  void close_finishes() {
    const auto tasks = some_tasks(10);
    for (const auto task : tasks) {
      const auto runs = 1'000'000 + static_cast<std::int64_t>(below(random_, 200'000));
      const auto result = pool().apply_async({.timeout = 1ms}, close_finish, task, runs);
      settle(result, task, answer_to(task), Also::timeout);
    }
  }

  Random random_;
};

}  // namespace

void be_client() {
  Run& now = run();
  Client client(now.settings.seed * 1000 + now.next_client++);
  while (!now.calm || now.settled < now.settings.tasks) client.one_round();
}

}  // namespace brood::storm
