// SPDX-License-Identifier: MIT
#include <csignal>
#include <cstdlib>
#include <optional>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <unistd.h>

#include "pool/facts.hpp"

// What a worker's death, and a value that can't travel, cost: one task.
namespace brood::testing {
namespace {

class Crashes : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, Crashes, every_process, name_of);

TEST_P(Crashes, are_told_apart) {
  Pool pool = make_pool(1);
  const auto crash_of = [&](auto f) {
    try {
      pool.apply(f);
    } catch (const WorkerCrashed& crash) {
      EXPECT_GT(crash.pid(), 0);
      return std::pair(crash.signal(), crash.exit_code());
    }
    return std::pair(-1, -1);
  };
  EXPECT_EQ(crash_of([] { std::raise(SIGKILL); }), std::pair(SIGKILL, -SIGKILL));
  EXPECT_EQ(crash_of([] { std::raise(SIGTERM); }), std::pair(SIGTERM, -SIGTERM));
  EXPECT_EQ(crash_of([] { std::exit(0); }), std::pair(0, 0));
  EXPECT_EQ(crash_of([] { std::exit(99); }), std::pair(0, 99));
  EXPECT_EQ(crash_of([] { ::_exit(3); }), std::pair(0, 3));
  EXPECT_EQ(crash_of([] { std::quick_exit(4); }), std::pair(0, 4));
  EXPECT_EQ(pool.apply(square, 3), 9);
  EXPECT_EQ(pool.stats().crashed, 6u);
  EXPECT_EQ(pool.stats().failed, 6u);
  eventually([&] { return pool.stats().respawned == 6 && pool.stats().workers == 1; });
}

TEST_P(Crashes, are_never_run_twice_unless_asked) {
  const Scratch scratch;
  const std::string path = scratch.path("runs");
  Pool pool = make_pool(2);
  const auto fatal = [](const std::string& where) {
    note_run(where);
    std::raise(SIGKILL);
  };
  EXPECT_THROW(pool.apply(fatal, path), WorkerCrashed);
  EXPECT_EQ(runs_noted(path), 1u);
  EXPECT_THROW(pool.apply({.retries = 2}, fatal, path), WorkerCrashed);
  EXPECT_EQ(runs_noted(path), 4u);
  const auto thrower = [](const std::string& where) {
    note_run(where);
    throw std::runtime_error("no crash");
  };
  EXPECT_THROW(pool.apply({.retries = 5}, thrower, path), std::runtime_error);
  EXPECT_EQ(runs_noted(path), 5u);
  const auto late = [](const std::string& where) {
    note_run(where);
    for_ever();
  };
  EXPECT_THROW(pool.apply({.timeout = 200ms, .retries = 5}, late, path), TaskTimeout);
  EXPECT_EQ(runs_noted(path), 6u);
}

TEST_P(Crashes, set_an_item_aside_that_ended_too_many_workers) {
  Pool pool = make_pool(2);
  const auto poison = [](int x) {
    if (x == 3) std::raise(SIGSEGV);
    return x;
  };
  try {
    pool.apply({.retries = 2}, poison, 3);
    ADD_FAILURE();
  } catch (const WorkerCrashed& crash) {
    EXPECT_EQ(crash.crashes(), 3u);
    const std::string words = crash.what();
    EXPECT_NE(words.find("SIGSEGV"), std::string::npos) << words;
    EXPECT_NE(words.find("ended 3 workers"), std::string::npos) << words;
  }
  const auto outcomes =
      pool.map_outcomes({.chunksize = 4, .retries = 1}, poison, {0, 1, 2, 3, 4, 5, 6, 7});
  for (std::size_t i = 0; i < 8; ++i) {
    if (i != 3) {
      EXPECT_EQ(outcomes[i].value(), static_cast<int>(i));
      continue;
    }
    try {
      outcomes[i].value();
      ADD_FAILURE();
    } catch (const WorkerCrashed& crash) {
      EXPECT_EQ(crash.crashes(), 2u);
      EXPECT_EQ(crash.index(), 3u);
    }
  }
  try {
    pool.apply(poison, 3);
    ADD_FAILURE();
  } catch (const WorkerCrashed& crash) {
    EXPECT_EQ(crash.crashes(), 1u);
    EXPECT_EQ(std::string(crash.what()).find("set aside"), std::string::npos) << crash.what();
  }
  EXPECT_EQ(pool.stats().crashed, 3u + 2u + 1u);
  EXPECT_EQ(pool.stats().failed, 3u);
}

TEST_P(Crashes, of_a_lazy_map_concern_one_item) {
  Pool pool = make_pool(2);
  const auto poison = [](int x) {
    if (x == 3) std::raise(SIGKILL);
    return x;
  };
  std::set<int> values;
  int crashed = 0;
  auto lazy = pool.imap({.chunksize = 3, .retries = 1}, poison, std::views::iota(0, 30));
  for (auto it = lazy.begin(); it != lazy.end(); ++it) {
    try {
      values.insert(*it);
    } catch (const WorkerCrashed& crash) {
      EXPECT_EQ(crash.index(), 3u);
      EXPECT_EQ(crash.crashes(), 2u);
      ++crashed;
    }
  }
  EXPECT_EQ(crashed, 1);
  EXPECT_EQ(values.size(), 29u);
}

TEST_P(Crashes, while_large_values_are_written_hang_nobody) {
  Pool pool = make_pool(2);
  const std::string large(8 << 20, 'x');
  std::vector<AsyncResult<std::size_t>> results;
  for (int i = 0; i < 8; ++i) {
    results.push_back(pool.apply_async(
        [](const std::string& text, int which) {
          if (which % 2 == 1) std::raise(SIGKILL);
          return text.size();
        },
        large, i));
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (i % 2 == 1) {
      EXPECT_THROW(results[i].get(), WorkerCrashed);
    } else {
      EXPECT_EQ(results[i].get(), large.size());
    }
  }
}

TEST_P(Crashes, after_close_still_let_join_return) {
  Pool pool = make_pool(1);
  const auto fatal = pool.apply_async([] { std::raise(SIGKILL); });
  const auto after = pool.apply_async(square, 4);
  pool.close();
  EXPECT_TRUE(pool.join(30s));
  EXPECT_THROW(fatal.get(), WorkerCrashed);
  EXPECT_EQ(after.get(), 16);
}

class Lives : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, Lives, every_process, name_of);

TEST_P(Lives, of_few_tasks_do_all_of_them) {
  for (const auto& [workers, life, tasks] :
       {std::tuple{1, 2, 6}, {2, 2, 8}, {1, 1, 6}, {3, 1, 20}}) {
    Pool pool{{.processes = workers, .maxtasksperchild = life, .context = GetParam()}};
    std::vector<AsyncResult<int>> results;
    for (int i = 0; i < tasks; ++i) results.push_back(pool.apply_async(square, i));
    pool.close();
    EXPECT_TRUE(pool.join(60s));
    for (std::size_t i = 0; i < results.size(); ++i) {
      EXPECT_EQ(results[i].get(), square(static_cast<int>(i)));
    }
  }
}

TEST_P(Lives, of_one_task_bear_its_failures_too) {
  Pool pool{{.processes = 2, .maxtasksperchild = 1, .context = GetParam()}};
  for (int i = 0; i < 4; ++i) {
    EXPECT_THROW(pool.apply([] { throw std::logic_error("no"); }), std::logic_error);
    EXPECT_THROW(pool.apply([] { std::raise(SIGKILL); }), WorkerCrashed);
  }
  EXPECT_EQ(pool.apply(square, 3), 9);
}

// Wanted by the results below: what can't be encoded, or decoded, or made again.
struct Unwritable {
  template <class Archive>
  void save(Archive&) const {
    throw std::runtime_error("cannot be written");
  }
  template <class Archive>
  void load(Archive&) {}
};
struct Unreadable {
  int in = static_cast<int>(::getpid());
  template <class Archive>
  void save(Archive& archive) const {
    archive(in);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(in);
    if (in != static_cast<int>(::getpid())) throw std::runtime_error("cannot be read");
  }
};
struct Deadly {
  template <class Archive>
  void save(Archive&) const {
    std::raise(SIGKILL);
  }
  template <class Archive>
  void load(Archive&) {
    std::raise(SIGKILL);
  }
};
struct DeadlyToRead {
  template <class Archive>
  void save(Archive& archive) const {
    archive(1);
  }
  template <class Archive>
  void load(Archive&) {
    std::raise(SIGKILL);
  }
};

TEST_P(Lives, of_values_that_cannot_travel_end_with_their_task) {
  Pool pool = make_pool(1);
  for (int i = 0; i < 20; ++i) {
    EXPECT_THROW(pool.apply([] { return Unwritable{}; }), ShipError);
    EXPECT_THROW(pool.apply([] { return Unreadable{}; }), ShipError);
    EXPECT_THROW(pool.apply([](Unreadable) {}, Unreadable{}), ShipError);
    EXPECT_THROW(pool.apply([](Unwritable) {}, Unwritable{}), std::exception);
  }
  EXPECT_EQ(pool.stats().respawned, 0u);
  EXPECT_THROW(pool.map([](int) { return Unreadable{}; }, {1, 2}), ShipError);
  EXPECT_THROW(pool.map([](Unreadable) {}, std::vector<Unreadable>(3)), ShipError);
  const auto mixed = pool.map_outcomes(
      [](int x) { return x == 1 ? std::optional<Unwritable>(std::in_place) : std::nullopt; },
      {0, 1, 2});
  EXPECT_TRUE(mixed[0].has_value());
  EXPECT_THROW(mixed[1].value(), ShipError);
  EXPECT_TRUE(mixed[2].has_value());
  EXPECT_THROW(pool.apply([] { return Deadly{}; }), WorkerCrashed);
  EXPECT_THROW(pool.apply([](DeadlyToRead) {}, DeadlyToRead{}), WorkerCrashed);
  EXPECT_EQ(pool.apply(square, 3), 9);
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
