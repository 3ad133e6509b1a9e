// SPDX-License-Identifier: MIT
//
// Taking tasks back: before they run, while they run, and as a whole map.
#include <atomic>
#include <future>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "pool/facts.hpp"

namespace brood::testing {
namespace {

class Cancel : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Cancel, every_context, name_of);

TEST_P(Cancel, withdraws_a_queued_task_which_then_never_runs) {
  const Scratch scratch;
  Pool pool = make_pool(1);
  const auto busy = keep_busy(pool, 1);
  std::vector<AsyncResult<void>> queued;
  for (int i = 0; i < 20; ++i) {
    queued.push_back(pool.apply_async([](const std::string& path) { write_file(path, "x"); },
                                      scratch.path("ran")));
  }
  for (const auto& each : queued) {
    EXPECT_TRUE(each.cancel());
    EXPECT_TRUE(each.ready());
    EXPECT_FALSE(each.successful());
    EXPECT_EQ(pool.poll(each.id()), JobState::cancelled);
    EXPECT_THROW(each.get(), CancelledError);
  }
  busy[0].cancel(60s);
  EXPECT_EQ(pool.apply(square, 3), 9);
  EXPECT_FALSE(std::filesystem::exists(scratch.path("ran")));
}

TEST_P(Cancel, leaves_the_neighbours_of_a_queued_task_alone) {
  Pool pool = make_pool(1);
  const auto busy = keep_busy(pool, 1);
  std::vector<AsyncResult<int>> queued;
  for (int i = 0; i < 30; ++i) queued.push_back(pool.apply_async(square, i));
  for (std::size_t i = 0; i < queued.size(); i += 3) EXPECT_TRUE(queued[i].cancel());
  busy[0].cancel(60s);
  for (std::size_t i = 0; i < queued.size(); ++i) {
    if (i % 3 == 0) {
      EXPECT_THROW(queued[i].get(), CancelledError);
    } else {
      EXPECT_EQ(queued[i].get(), square(static_cast<int>(i)));
    }
  }
}

TEST_P(Cancel, asks_a_running_task_to_stop_and_keeps_its_worker) {
  Pool pool = make_pool(1);
  const int before = pool.apply(own_pid);
  const auto busy = keep_busy(pool, 1);
  EXPECT_TRUE(busy[0].cancel(600s));
  EXPECT_TRUE(busy[0].ready());
  EXPECT_THROW(busy[0].get(), CancelledError);
  EXPECT_EQ(pool.apply(own_pid), before);
  EXPECT_EQ(pool.stats().respawned, 0u);
}

TEST_P(Cancel, with_no_end_of_the_grace_only_asks) {
  Pool pool = make_pool(1);
  const int before = pool.apply(own_pid);
  const auto busy = keep_busy(pool, 1);
  EXPECT_TRUE(busy[0].cancel(Timeout{}));
  EXPECT_EQ(pool.apply(own_pid), before);
}

TEST_P(Cancel, of_what_has_ended_changes_nothing) {
  Pool pool = make_pool();
  const auto good = pool.apply_async(square, 5);
  const auto bad = pool.apply_async([] { throw std::logic_error("bad"); });
  good.wait();
  bad.wait();
  EXPECT_FALSE(good.cancel());
  EXPECT_FALSE(bad.cancel());
  EXPECT_EQ(good.get(), 25);
  EXPECT_THROW(bad.get(), std::logic_error);
  EXPECT_EQ(pool.poll(good.id()), JobState::done);
}

TEST_P(Cancel, counts_once_however_often_it_is_asked) {
  Pool pool = make_pool(1);
  const auto busy = keep_busy(pool, 1);
  const auto queued = pool.apply_async(square, 2);
  for (const auto& each : {queued, busy[0]}) {
    std::atomic<int> yes{0};
    std::vector<std::thread> askers;
    for (int i = 0; i < 4; ++i) askers.emplace_back([&] { yes += each.cancel(60s); });
    for (auto& asker : askers) asker.join();
    EXPECT_EQ(yes, 1);
    EXPECT_FALSE(each.cancel());
  }
}

TEST_P(Cancel, takes_a_whole_map_back) {
  Pool pool = make_pool();
  std::vector<int> items(1000);
  auto map = pool.map_async([](int) { return until_stopped(); }, items, 10);
  eventually([&] { return pool.poll(map.id()) == JobState::running; });
  EXPECT_TRUE(map.cancel(600s));
  EXPECT_THROW(map.get(), CancelledError);
  EXPECT_EQ(pool.poll(map.id()), JobState::cancelled);
  EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector{1, 4, 9}));
}

TEST_P(Cancel, takes_a_queued_map_back_before_any_item_runs) {
  const Scratch scratch;
  Pool pool = make_pool(1);
  const auto busy = keep_busy(pool, 1);
  std::vector<std::string> items(50, scratch.path("ran"));
  auto map = pool.map_async([](const std::string& path) { write_file(path, "x"); }, items);
  EXPECT_TRUE(map.cancel());
  EXPECT_THROW(map.get(), CancelledError);
  busy[0].cancel(600s);
  EXPECT_EQ(pool.apply(square, 3), 9);
  EXPECT_FALSE(std::filesystem::exists(scratch.path("ran")));
}

TEST_P(Cancel, works_from_a_callback) {
  Pool pool = make_pool();
  const auto victim = pool.apply_async(until_stopped);
  std::promise<bool> cancelled;
  pool.apply_async({.callback = [&](int) { cancelled.set_value(victim.cancel(600s)); }}, square, 1);
  EXPECT_TRUE(cancelled.get_future().get());
  EXPECT_THROW(victim.get(), CancelledError);
}

TEST_P(Cancel, calls_the_error_callback_with_it_and_not_the_other) {
  Pool pool = make_pool(1);
  const auto busy = keep_busy(pool, 1);
  std::promise<bool> told;
  const auto queued = pool.apply_async({.callback = [](int) { ADD_FAILURE() << "a value"; },
                                        .error_callback =
                                            [&](std::exception_ptr error) {
                                              try {
                                                std::rethrow_exception(error);
                                              } catch (const CancelledError&) {
                                                told.set_value(true);
                                              }
                                            }},
                                       square, 1);
  EXPECT_TRUE(queued.cancel());
  EXPECT_TRUE(told.get_future().get());
  busy[0].cancel(600s);
  pool.close();
  pool.join();
}

TEST_P(Cancel, frees_a_thread_that_waits_for_the_result) {
  Pool pool = make_pool(1);
  const auto busy = keep_busy(pool, 1);
  const auto queued = pool.apply_async(square, 1);
  for (const auto& each : {queued, busy[0]}) {
    std::promise<void> asking;
    auto freed = std::async(std::launch::async, [&] {
      asking.set_value();
      EXPECT_THROW(each.get(), CancelledError);
      return true;
    });
    asking.get_future().wait();
    EXPECT_TRUE(each.cancel(600s));
    EXPECT_TRUE(freed.get());
  }
}

TEST_P(Cancel, right_after_submission_never_hangs_the_end) {
  Pool pool = make_pool();
  std::size_t cancelled = 0;
  std::vector<AsyncResult<int>> all;
  for (int i = 0; i < 300; ++i) {
    all.push_back(pool.apply_async(square, i));
    if (i % 2 == 0) cancelled += all.back().cancel(60s);
  }
  pool.close();
  pool.join();
  std::size_t missing = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_TRUE(all[i].ready());
    if (!all[i].successful()) {
      ++missing;
      EXPECT_EQ(i % 2, 0u);
    }
  }
  EXPECT_EQ(missing, cancelled);
}

TEST_P(Cancel, of_a_half_read_imap_is_what_dropping_it_does) {
  Pool pool = make_pool();
  long read = 0;
  {
    auto endless = std::views::iota(0) | std::views::transform([&](int i) {
                     ++read;
                     return i;
                   });
    auto ordered = pool.imap(square, endless);
    auto at = ordered.begin();
    for (int i = 0; i < 10; ++i, ++at) EXPECT_EQ(*at, i * i);
    auto unordered = pool.imap_unordered(square, endless, 7);
    EXPECT_GE(*unordered.begin(), 0);
  }
  const long read_at_the_end = read;
  EXPECT_EQ(pool.apply(square, 4), 16);
  pool.close();
  pool.join();
  EXPECT_EQ(read, read_at_the_end);
}

TEST_P(Cancel, of_an_imap_that_was_never_read_stops_its_tasks) {
  Pool pool = make_pool();
  {
    auto never_read = pool.imap([](int) { return until_stopped(); }, std::views::iota(0));
  }
  EXPECT_EQ(pool.apply(square, 4), 16);
}

class CancelProcess : public Processes {};
INSTANTIATE_TEST_SUITE_P(contexts, CancelProcess, every_process, name_of);

TEST_P(CancelProcess, kills_who_does_not_listen_and_starts_another) {
  Pool pool = make_pool(1);
  const int before = pool.apply(own_pid);
  for (const Timeout grace : {Timeout{100ms}, Timeout{0ms}, Timeout{-1s}}) {
    const auto deaf = pool.apply_async(for_ever);
    eventually([&] { return pool.poll(deaf.id()) == JobState::running; });
    EXPECT_TRUE(deaf.cancel(grace));
    EXPECT_THROW(deaf.get(), CancelledError);
    EXPECT_NE(pool.apply(own_pid), before);
  }
  eventually([&] { return is_gone(before); });
  EXPECT_EQ(pool.stats().respawned, 3u);
}

TEST_P(CancelProcess, kills_a_stopped_worker_too) {
  Pool pool = make_pool(1);
  const auto stopped = pool.apply_async([] { return std::raise(SIGSTOP); });
  eventually([&] { return pool.poll(stopped.id()) == JobState::running; });
  EXPECT_TRUE(stopped.cancel(1ms));
  EXPECT_EQ(pool.apply(square, 3), 9);
}

TEST_P(CancelProcess, loses_nothing_that_stood_behind_the_killed_one) {
  Pool pool = make_pool(1);
  const auto deaf = pool.apply_async(for_ever);
  eventually([&] { return pool.poll(deaf.id()) == JobState::running; });
  std::vector<AsyncResult<int>> behind;
  for (int i = 0; i < 50; ++i) behind.push_back(pool.apply_async(square, i));
  EXPECT_TRUE(deaf.cancel(1ms));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(behind[static_cast<std::size_t>(i)].get(), i * i);
}

TEST_P(CancelProcess, of_queued_tasks_does_not_use_up_a_workers_life) {
  PoolOptions few = options(1);
  few.maxtasksperchild = 2;
  Pool pool(few);
  for (int round = 0; round < 5; ++round) {
    const auto busy = keep_busy(pool, 1);
    const auto queued = pool.apply_async(square, 1);
    EXPECT_TRUE(queued.cancel());
    EXPECT_TRUE(busy[0].cancel(600s));
    EXPECT_EQ(pool.apply(square, round), round * round);
  }
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
