// SPDX-License-Identifier: MIT
#include <atomic>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "pool/facts.hpp"

// The table of failures: who notices, what the caller gets, what the pool does.
namespace brood::testing {
namespace {

struct Own : std::out_of_range {
  using std::out_of_range::out_of_range;
};
struct Unrelated {
  int value = 0;
};

class Failures : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Failures, every_context, name_of);

TEST_P(Failures, of_a_function_are_caught_by_each_of_their_types) {
  Pool pool = make_pool(1);
  const auto thrower = [] { throw Own("at 7"); };
  EXPECT_THROW(pool.apply(thrower), std::out_of_range);
  EXPECT_THROW(pool.apply(thrower), std::logic_error);
  EXPECT_THROW(pool.apply(thrower), std::exception);
  try {
    pool.apply(thrower);
  } catch (const std::exception& error) {
    EXPECT_STREQ(error.what(), "at 7");
  }
  if (GetParam() == Context::thread) {
    EXPECT_THROW(pool.apply(thrower), Own);
    EXPECT_THROW(pool.apply([] { throw Unrelated{3}; }), Unrelated);
    return;
  }
  EXPECT_THROW(pool.apply(thrower), Error);
  try {
    pool.apply(thrower);
  } catch (const RemoteError& error) {
    EXPECT_STREQ(error.what(), "at 7");
    EXPECT_NE(std::string(error.type_name()).find("Own"), std::string::npos);
    EXPECT_GT(error.worker_pid(), 0);
  }
  EXPECT_THROW(pool.apply([] { throw Unrelated{3}; }), RemoteError);
  EXPECT_THROW(pool.apply([] { throw Unrelated{3}; }), std::exception);
  EXPECT_THROW(pool.apply([] { throw 42; }), RemoteError);
}

TEST_P(Failures, of_the_library_are_no_runtime_errors) {
  Pool pool = make_pool(1);
  const auto is_plain = [](auto call) {
    try {
      call();
    } catch (const std::runtime_error&) {
      return false;
    } catch (const std::logic_error&) {
      return false;
    } catch (const std::exception& error) {
      return dynamic_cast<const Error*>(&error) != nullptr;
    }
    return false;
  };
  EXPECT_TRUE(is_plain([&] { pool.join(); }));
  EXPECT_TRUE(is_plain([&] { pool.apply({.timeout = 0s}, until_stopped); }));
  EXPECT_TRUE(is_plain([&] {
    const auto busy = keep_busy(pool, 1);
    busy[0].cancel();
    busy[0].get();
  }));
  EXPECT_TRUE(is_plain([&] {
    const auto busy = keep_busy(pool, 1);
    try {
      busy[0].get(0s);
    } catch (...) {
      busy[0].cancel();
      throw;
    }
  }));
}

TEST_P(Failures, of_a_late_task_make_it_ready) {
  Pool pool = make_pool(1);
  const auto late = pool.apply_async({.timeout = 20ms}, until_stopped);
  EXPECT_THROW(late.get(), TaskTimeout);
  EXPECT_TRUE(late.ready());
  EXPECT_FALSE(late.successful());
  EXPECT_EQ(pool.poll(late.id()), JobState::failed);
  const auto early = keep_busy(pool, 1)[0];
  EXPECT_THROW(early.get(1ms), TimeoutError);
  EXPECT_FALSE(early.ready());
  early.cancel();
  EXPECT_EQ(pool.apply(square, 3), 9);
}

TEST_P(Failures, of_a_cancelled_task_that_does_not_listen_leave_room_for_others) {
  const Scratch scratch;
  const std::string gate = scratch.path("gate");
  Pool pool = make_pool(1);
  const auto deaf = pool.apply_async(
      [](const std::string& path) {
        while (!std::filesystem::exists(path)) ::usleep(500);
        note_run(path + ".left");
        return 1;
      },
      gate);
  eventually([&] { return pool.poll(deaf.id()) == JobState::running; });
  EXPECT_TRUE(deaf.cancel(10ms));
  EXPECT_THROW(deaf.get(), CancelledError);
  EXPECT_EQ(pool.apply(square, 3), 9);
  EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector{1, 4, 9}));
  eventually([&] { return pool.stats().workers == 1; });
  write_file(gate, "open");
  if (GetParam() == Context::thread) eventually([&] { return runs_noted(gate + ".left") == 1; });
}

TEST_P(Failures, of_one_item_leave_the_rest_of_a_map_alone) {
  Pool pool = make_pool();
  const auto odd = [](int x) {
    if (x % 2 == 1) throw std::invalid_argument("odd " + std::to_string(x));
    return x;
  };
  std::vector<int> xs(100);
  for (std::size_t i = 0; i < xs.size(); ++i) xs[i] = static_cast<int>(i);
  try {
    pool.map({.chunksize = 10}, odd, xs);
    ADD_FAILURE();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "odd 1");
  }
  const auto outcomes = pool.map_outcomes({.chunksize = 7}, odd, xs);
  for (std::size_t i = 0; i < xs.size(); ++i) {
    ASSERT_EQ(outcomes[i].has_value(), i % 2 == 0);
    if (outcomes[i]) {
      EXPECT_EQ(*outcomes[i], xs[i]);
    } else {
      EXPECT_THROW(outcomes[i].value(), std::invalid_argument);
      EXPECT_THROW(std::rethrow_exception(outcomes[i].error()), std::invalid_argument);
    }
  }
  int good = 0;
  int bad = 0;
  auto lazy = pool.imap(odd, xs, 9);
  for (auto it = lazy.begin(); it != lazy.end(); ++it) {
    try {
      EXPECT_EQ(*it % 2, 0);
      ++good;
    } catch (const std::invalid_argument&) {
      ++bad;
    }
  }
  EXPECT_EQ(std::pair(good, bad), std::pair(50, 50));
}

TEST_P(Failures, of_two_large_errors_do_not_stop_the_end) {
  Pool pool = make_pool();
  const auto loud = [](int x) -> int {
    throw std::runtime_error(std::string(1 << 20, static_cast<char>('a' + x)));
  };
  const auto outcomes = pool.map_outcomes(loud, {0, 1});
  for (std::size_t i = 0; i < 2; ++i) {
    try {
      outcomes[i].value();
      ADD_FAILURE();
    } catch (const std::runtime_error& error) {
      EXPECT_GE(std::string(error.what()).size(), 1u << 10);
      EXPECT_EQ(*error.what(), static_cast<char>('a' + i));
    }
  }
  pool.close();
  EXPECT_TRUE(pool.join(30s));
}

TEST_P(Failures, in_a_scope_leave_nothing_of_it_behind) {
  AsyncResult<std::vector<int>> map;
  AsyncResult<int> call;
  std::atomic<bool> called = false;
  try {
    Pool pool = make_pool(1);
    call = keep_busy(pool, 1)[0];
    map = pool.map_async({.callback = [&](auto) { called = true; }}, square, {1, 2, 3});
    auto lazy = pool.imap(square, std::views::iota(0));
    throw std::runtime_error("out");
  } catch (const std::runtime_error&) {
  }
  EXPECT_THROW(call.get(), CancelledError);
  EXPECT_THROW(map.get(), CancelledError);
  EXPECT_FALSE(called);
}

// Counts how many of it there are in this process.
struct Counted {
  static inline std::atomic<int> alive = 0;
  int value = 0;
  Counted() { ++alive; }
  Counted(const Counted& other) : value(other.value) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(value);
  }
};

TEST_P(Failures, or_none_leave_no_trace_of_arguments_and_results) {
  Pool pool = make_pool(1);
  const auto same = [](Counted x) { return x; };
  const auto thrower = [](const Counted&) -> Counted { throw std::runtime_error("no"); };
  for (int i = 0; i < 3; ++i) {
    pool.apply(same, Counted());
    pool.map(same, std::vector<Counted>(5));
    for (auto& each : pool.imap(same, std::vector<Counted>(5))) EXPECT_EQ(each.value, 0);
    EXPECT_THROW(pool.apply(thrower, Counted()), std::runtime_error);
    EXPECT_THROW(pool.map(thrower, std::vector<Counted>(5)), std::runtime_error);
    pool.apply_async(same, Counted());
  }
  eventually([&] { return Counted::alive == 0; });
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
