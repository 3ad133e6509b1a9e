// SPDX-License-Identifier: MIT
//
// How cost grows with the number of tasks, with the size of a value and with the
// number of workers. docs/growth.md explains where the curves bend.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <brood/brood.hpp>

#include "support/arithmetic.hpp"
#include "support/contest.hpp"
#include "support/options.hpp"
#include "support/python.hpp"
#include "support/report.hpp"
#include "support/stopwatch.hpp"

namespace {

using namespace bench;
using Bytes = std::vector<std::byte>;

const char* const ours = "brood";
const char* const own_threads = "brood on threads";
const char* const python = "CPython";

void nothing() {}
int same(int x) { return x; }
std::size_t length_in_place(std::span<const std::byte> bytes) { return bytes.size(); }
Bytes make(std::size_t size) { return Bytes(size); }

template <typename... Arguments>
void submit_and_get(brood::Pool& pool, std::size_t tasks, auto function, Arguments... arguments) {
  std::vector<decltype(pool.apply_async(function, arguments...))> results;
  results.reserve(tasks);
  for (std::size_t i = 0; i < tasks; ++i) {
    results.push_back(pool.apply_async(function, arguments...));
  }
  for (auto& result : results) result.get();
}

// Few tasks are done again and again, `enough` in all, so that a round has something to
// measure.
double microseconds_a_task(std::size_t tasks, std::size_t enough,
                           const std::function<void()>& work) {
  const std::size_t times = std::max<std::size_t>(enough / tasks, 1);
  const double taken = seconds([&] {
    for (std::size_t i = 0; i < times; ++i) work();
  });
  return 1e6 * taken / static_cast<double>(times * tasks);
}

void add_python(Contest& contest, const std::string& what, std::size_t tasks) {
  constexpr std::size_t most = 100'000;  // or it takes minutes
  if (tasks > most || !has_python()) return;
  const std::string number = std::to_string(tasks);
  if (what == "map") {
    const std::string order = "map " + number + " " + std::to_string(brood::cpu_count());
    contest.add(python, [=] { return 1e6 * ask_python(order) / static_cast<double>(tasks); });
  } else {
    contest.add(python, [=] { return 1e6 / ask_python("apply_async " + number); });
  }
}

int rounds_of(const Options& options, bool large) {
  return options.smoke ? 1 : large ? std::min(options.rounds, 3) : options.rounds;
}

void name_python_if_absent(Report& report) {
  if (!has_python()) report.absent(python, "no python3 here");
}

void tasks_grow(const Options& options) {
  brood::Pool processes;
  brood::Pool threads{{.context = brood::Context::thread}};
  const auto most = options.size<std::size_t>(10'000'000, 100);
  const auto enough = options.size<std::size_t>(10'000, 100);
  const Report::Axis across{"tasks", ""};
  const Report::Axis up{"time a task", "us"};

  Report in_bulk("empty tasks by apply_async, and their results");
  in_bulk.plot("tasks_by_apply_async", across, up);
  for (std::size_t tasks = 100; tasks <= most; tasks *= 10) {
    Contest contest;
    const auto add = [&](const char* name, brood::Pool& pool) {
      contest.add(name, [&pool, tasks, enough] {
        return microseconds_a_task(tasks, enough, [&] { submit_and_get(pool, tasks, nothing); });
      });
    };
    add(ours, processes);
    add(own_threads, threads);
    add_python(contest, "apply_async", tasks);
    contest.run(rounds_of(options, tasks >= 1'000'000));
    in_bulk.points(static_cast<double>(tasks), contest);
  }
  name_python_if_absent(in_bulk);

  Report in_a_map("items of a map that does nothing");
  in_a_map.plot("tasks_by_map", across, up);
  for (std::size_t tasks = 100; tasks <= most; tasks *= 10) {
    const std::vector<int> items(tasks, 1);
    Contest contest;
    const auto add = [&](const char* name, brood::Pool& pool) {
      contest.add(name, [&pool, &items, enough] {
        return microseconds_a_task(items.size(), enough, [&] { pool.map(same, items); });
      });
    };
    add(ours, processes);
    add(own_threads, threads);
    add_python(contest, "map", tasks);
    contest.run(rounds_of(options, tasks >= 1'000'000));
    in_a_map.points(static_cast<double>(tasks), contest);
  }
  name_python_if_absent(in_a_map);
}

// Bytes a second, in GB; small ones many times.
template <typename Work>
double rate(const Options& options, std::size_t size, Work&& work) {
  constexpr std::size_t enough = 50'000'000;
  const std::size_t times =
      std::clamp<std::size_t>(enough / size, 1, options.size<std::size_t>(2'000, 20));
  const double taken = seconds([&] {
    for (std::size_t i = 0; i < times; ++i) work();
  });
  return static_cast<double>(times * size) / taken / 1e9;
}

// From 8 bytes to a gibibyte, as far as the machine's memory goes several times into it.
std::vector<std::size_t> sizes(const Options& options, Report& report) {
  const std::size_t gibibyte = std::size_t{1} << 30;
  const auto memory = static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t most = options.size(gibibyte, std::size_t{1} << 10);
  std::vector<std::size_t> found;
  for (std::size_t size = 8; size < most; size *= 4) found.push_back(size);
  found.push_back(most);
  std::erase_if(found, [&](std::size_t size) { return size > memory / 10; });
  if (found.back() != most) report.absent("larger values", "this machine has too little memory");
  return found;
}

void values_grow(const Options& options) {
  brood::Pool pool{1};
  const Report::Axis across{"size", "bytes"};
  const Report::Axis up{"speed", "GB/s"};
  const char* const copy_name = "memcpy in warm memory";

  Report in("an argument, read in place");
  in.plot("size_of_an_argument", across, up);
  for (const std::size_t size : sizes(options, in)) {
    const Bytes data(size, std::byte{1});
    Bytes copy(size);
    Contest contest;
    contest.add(ours,
                [&] { return rate(options, size, [&] { pool.apply(length_in_place, data); }); });
    contest.add(copy_name, [&] {
      return rate(options, size, [&] {
        std::memcpy(copy.data(), data.data(), size);
        keep(copy);
      });
    });
    contest.run(rounds_of(options, size > 10'000'000));
    in.points(static_cast<double>(size), contest);
  }

  Report out("a result, made by the task");
  out.plot("size_of_a_result", across, up);
  for (const std::size_t size : sizes(options, out)) {
    Contest contest;
    contest.add(ours, [&] { return rate(options, size, [&] { pool.apply(make, size); }); });
    contest.add("made here", [&] {
      return rate(options, size, [&] {
        Bytes made = make(size);
        keep(made);
      });
    });
    const Bytes data(size, std::byte{1});
    Bytes copy(size);
    contest.add(copy_name, [&] {
      return rate(options, size, [&] {
        std::memcpy(copy.data(), data.data(), size);
        keep(copy);
      });
    });
    contest.run(rounds_of(options, size > 10'000'000));
    out.points(static_cast<double>(size), contest);
  }
}

void pools_grow(const Options& options) {
  const Report::Axis across{"workers", ""};
  const Report::Axis up{"tasks a second", ""};
  const std::size_t most = options.size<std::size_t>(64, 2);
  const auto of_100_us = static_cast<std::uint64_t>(100 * steps_a_microsecond());
  const auto empty = options.size<std::size_t>(200'000, 100);
  const auto coarse = options.size<std::size_t>(4'000, 20);

  const auto grow = [&](std::size_t tasks, const auto& run, Report& report) {
    for (std::size_t workers = 1; workers <= most; workers *= 2) {
      brood::Pool processes{workers};
      brood::Pool threads{{.processes = workers, .context = brood::Context::thread}};
      Contest contest;
      const auto add = [&](const char* name, brood::Pool& pool) {
        contest.add(
            name, [&] { return static_cast<double>(tasks) / seconds([&] { run(pool, tasks); }); });
      };
      add(ours, processes);
      add(own_threads, threads);
      contest.run(rounds_of(options, false));
      report.points(static_cast<double>(workers), contest);
    }
  };
  Report fine("empty tasks by apply_async, on more and more workers");
  fine.plot("workers_with_empty_tasks", across, up);
  grow(empty, [](brood::Pool& pool, std::size_t n) { submit_and_get(pool, n, nothing); }, fine);
  Report rough("tasks of 100 us by apply_async, on more and more workers");
  rough.plot("workers_with_tasks_of_100_us", across, up);
  grow(
      coarse, [&](brood::Pool& pool, std::size_t n) { submit_and_get(pool, n, work, of_100_us); },
      rough);
}

}  // namespace

int main(int argc, char** argv) {
  brood::init(argc, argv);
  const Options options = read_options(argc, argv);
  tasks_grow(options);
  values_grow(options);
  pools_grow(options);
}
