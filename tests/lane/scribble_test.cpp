// SPDX-License-Identifier: MIT
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "lane/layout.hpp"
#include "support/watchdog.hpp"

// Real workers write over their whole lanes while tasks are in flight. Whatever
// they write, the program goes on, and only what was theirs fails.

namespace brood::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_scribblers = 4096;

// What the test and all its workers see.
struct Board {
  std::atomic<int> begun;    // the innocent task runs
  std::atomic<int> open;     // and may end
  std::atomic<int> go;       // the thread that was left behind may write
  std::atomic<int> written;  // and has
  std::atomic<int> scribblers;
  std::atomic<int> pids[most_scribblers];
};

// Made before the first pool, so that every worker has it.
Board& board = *static_cast<Board*>(
    ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

void wait_for(const std::atomic<int>& flag) {
  if (!Watchdog().sees([&] { return flag.load() != 0; })) std::abort();
}

enum class What {
  noise,
  zeros,
  ones,
  header,
  slots,
  payload,
  black_box,
  pages,
  words,
  failed_to_start,
  count_,
};

std::span<std::byte> own_lane() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:brood-lane") == std::string::npos) continue;
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) != 2) break;
    return {reinterpret_cast<std::byte*>(begin), end - begin};
  }
  std::abort();
}

void fill(std::span<std::byte> area, std::mt19937_64& random) {
  for (std::size_t at = 0; at + sizeof(std::uint64_t) <= area.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = random();
    std::memcpy(area.data() + at, &word, sizeof word);
  }
}

void scribble(What what, unsigned seed) {
  board.pids[static_cast<std::size_t>(board.scribblers.fetch_add(1)) % most_scribblers] =
      ::getpid();
  std::mt19937_64 random(seed);
  const auto lane = own_lane();
  constexpr std::size_t page = 4096;
  const std::size_t arena = lane::Geometry{}.arena_begin();
  switch (what) {
    case What::noise: return fill(lane, random);
    case What::zeros: std::memset(lane.data(), 0, lane.size()); return;
    case What::ones: std::memset(lane.data(), 0xff, lane.size()); return;
    case What::header: return fill(lane.first(page), random);
    case What::slots: return fill(lane.subspan(2 * page, arena - 2 * page), random);
    case What::payload: return fill(lane.subspan(arena), random);
    case What::black_box: return fill(lane.subspan(page, page), random);
    case What::pages:
      for (int i = 0; i < 20; ++i)
        fill(lane.subspan(random() % (lane.size() / page) * page, page), random);
      return;
    case What::words:
      for (int i = 0; i < 2000; ++i) {
        fill(lane.subspan(random() % (arena / sizeof(std::uint64_t)) * sizeof(std::uint64_t),
                          sizeof(std::uint64_t)),
             random);
      }
      return;
    case What::failed_to_start:
      reinterpret_cast<lane::Header*>(lane.data())->startup =
          static_cast<std::uint32_t>(lane::Startup::failed);
      return;
    case What::count_: break;
  }
}

// Whether after it nothing in the lane says what it said, so that none of its
// worker's tasks can have a value.
bool is_total(What what) {
  return what == What::noise || what == What::zeros || what == What::ones;
}

int square(int x) { return x * x; }

int innocent(int x) {
  board.begun = 1;
  wait_for(board.open);
  return x * x;
}

int and_return(What what, unsigned seed, const std::string& given) {
  scribble(what, seed);
  return static_cast<int>(given.size());
}
std::string and_return_much(What what, unsigned seed) {
  scribble(what, seed);
  return std::string(std::size_t{3} << 20, 'x');
}
int and_throw(What what, unsigned seed) {
  scribble(what, seed);
  throw std::runtime_error("after it has scribbled");
}
int and_crash(What what, unsigned seed) {
  scribble(what, seed);
  ::raise(SIGSEGV);
  return 0;
}
int and_abort(What what, unsigned seed) {
  scribble(what, seed);
  std::abort();
}
int and_leave(What what, unsigned seed) {
  scribble(what, seed);
  ::_exit(3);
}
int and_hang(What what, unsigned seed) {
  scribble(what, seed);
  for (;;) ::pause();
}
int behind_its_back(What what, unsigned seed) {
  std::thread([=] {
    wait_for(board.go);
    scribble(what, seed);
    board.written = 1;
  }).detach();
  return ::getpid();
}
int in_the_middle(What what, unsigned seed, int item) {
  if (item == 25) scribble(what, seed);
  return item * item;
}

struct Round {
  What what;
  unsigned seed;
  Pool& pool;
};

// What comes of a scribbler's own task, or of one that may have been in its lane:
// an end, and of an error only such as says that it was its worker.
template <typename Result>
void expect_an_end(AsyncResult<Result> result) {
  ASSERT_TRUE(result.wait(30s)) << "it hangs";
  try {
    result.get();
  } catch (const WorkerCrashed& crash) {
    std::set<int> known(std::begin(board.pids), std::end(board.pids));
    EXPECT_TRUE(known.count(crash.pid())) << "a worker that did nothing: " << crash.what();
    EXPECT_FALSE(std::string(crash.what()).empty());
    crash.backtrace();
  } catch (const TaskTimeout&) {
  } catch (const ShipError&) {
  } catch (const RemoteError&) {
  }
}

template <typename Result>
void expect_a_crash(AsyncResult<Result> result, const Round& round) {
  expect_an_end(result);
  if (is_total(round.what)) {
    EXPECT_THROW(result.get(), WorkerCrashed);
  }
}

// An innocent task runs on one worker while the other does what `scenario` asks.
class ScribbleTest : public ::testing::Test {
 protected:
  template <typename Scenario>
  void each_round(Scenario scenario) {
    Pool pool{2};
    for (unsigned i = 0; i < 3 * static_cast<unsigned>(What::count_); ++i) {
      const Round round{static_cast<What>(i % static_cast<unsigned>(What::count_)), i + 1, pool};
      SCOPED_TRACE("what " + std::to_string(static_cast<int>(round.what)) + ", seed " +
                   std::to_string(round.seed));
      for (auto* flag : {&board.begun, &board.open, &board.go, &board.written}) flag->store(0);
      auto other = pool.apply_async(innocent, 12);
      wait_for(board.begun);
      scenario(round);
      board.open = 1;
      ASSERT_TRUE(other.wait(30s));
      EXPECT_EQ(other.get(), 144);
      if (HasFatalFailure()) return;
    }
    EXPECT_EQ(pool.apply(square, 5), 25);
  }
};

TEST_F(ScribbleTest, costs_the_running_task) {
  each_round([](const Round& r) {
    expect_a_crash(r.pool.apply_async(and_return, r.what, r.seed, "x"), r);
  });
}

TEST_F(ScribbleTest, costs_the_running_task_that_has_a_deadline) {
  each_round([](const Round& r) {
    expect_a_crash(r.pool.apply_async({.timeout = 1h}, and_return, r.what, r.seed, "x"), r);
  });
}

TEST_F(ScribbleTest, costs_the_task_that_then_passes_its_deadline) {
  each_round([](const Round& r) {
    expect_an_end(r.pool.apply_async({.timeout = 20ms}, and_hang, r.what, r.seed));
  });
}

TEST_F(ScribbleTest, costs_the_task_that_then_is_cancelled) {
  each_round([](const Round& r) {
    const int before = board.scribblers;
    auto hung = r.pool.apply_async(and_hang, r.what, r.seed);
    ASSERT_TRUE(Watchdog().sees([&] { return board.scribblers != before; }));
    hung.cancel(0ms);  // false where it was found out before
    EXPECT_TRUE(hung.ready());
    expect_an_end(r.pool.apply_async(square, 3));
  });
}

TEST_F(ScribbleTest, costs_the_tasks_behind_it_at_most) {
  each_round([](const Round& r) {
    std::vector<AsyncResult<int>> behind;
    auto first = r.pool.apply_async(and_return, r.what, r.seed, "x");
    for (int i = 0; i < 30; ++i) behind.push_back(r.pool.apply_async(square, i));
    expect_a_crash(first, r);
    for (int i = 0; i < 30; ++i) {
      auto& result = behind[static_cast<std::size_t>(i)];
      expect_an_end(result);
      if (is_total(r.what) && result.successful()) {
        EXPECT_EQ(result.get(), i * i);
      }
    }
  });
}

TEST_F(ScribbleTest, costs_a_task_with_much_to_take_and_to_give) {
  each_round([](const Round& r) {
    const std::string much(std::size_t{3} << 20, 'y');
    expect_a_crash(r.pool.apply_async(and_return, r.what, r.seed, much), r);
    expect_a_crash(r.pool.apply_async(and_return, r.what, r.seed, much.substr(0, 100'000)), r);
    expect_a_crash(r.pool.apply_async(and_return_much, r.what, r.seed), r);
  });
}

TEST_F(ScribbleTest, costs_items_of_a_map_and_changes_no_other) {
  each_round([](const Round& r) {
    std::vector<int> items(100);
    for (int i = 0; i < 100; ++i) items[static_cast<std::size_t>(i)] = i;
    const auto outcomes =
        r.pool.map_outcomes({.chunksize = 50}, task(in_the_middle, r.what, r.seed), items);
    ASSERT_EQ(outcomes.size(), 100u);
    for (int i = 50; i < 100 && is_total(r.what); ++i) {
      const auto& outcome = outcomes[static_cast<std::size_t>(i)];
      if (outcome.has_value()) {
        EXPECT_EQ(*outcome, i * i);
      }
    }
  });
}

TEST_F(ScribbleTest, costs_a_task_that_throws_or_ends_its_worker_right_after) {
  each_round([](const Round& r) {
    expect_a_crash(r.pool.apply_async(and_throw, r.what, r.seed), r);
    expect_a_crash(r.pool.apply_async(and_crash, r.what, r.seed), r);
    expect_a_crash(r.pool.apply_async(and_abort, r.what, r.seed), r);
    expect_a_crash(r.pool.apply_async(and_leave, r.what, r.seed), r);
  });
}

TEST_F(ScribbleTest, costs_what_comes_to_an_idle_worker_at_most) {
  each_round([](const Round& r) {
    auto left = r.pool.apply_async(behind_its_back, r.what, r.seed);
    expect_an_end(left);
    board.go = 1;
    // What an earlier round wrote may just have told the worker to leave.
    const int pid = left.successful() ? left.get() : 0;
    const auto is_over = [&] { return board.written != 0 || ::kill(pid, 0) == -1; };
    if (pid != 0) {
      ASSERT_TRUE(Watchdog().sees(is_over));
    }
    for (int i = 0; i < 3; ++i) expect_an_end(r.pool.apply_async(square, i));
  });
}

TEST_F(ScribbleTest, does_not_keep_a_pool_from_closing) {
  for (unsigned what = 0; what < static_cast<unsigned>(What::count_); ++what) {
    SCOPED_TRACE(what);
    Pool pool{2};
    std::vector<AsyncResult<int>> results;
    for (int i = 0; i < 4; ++i) {
      results.push_back(pool.apply_async(and_return, static_cast<What>(what), what, "x"));
    }
    pool.close();
    ASSERT_TRUE(pool.join(30s));
    for (const auto& result : results) expect_an_end(result);
  }
}

}  // namespace
}  // namespace brood::testing
