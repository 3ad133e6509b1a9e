// SPDX-License-Identifier: MIT
#include <atomic>
#include <coroutine>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>

#include "pool/facts.hpp"

// What holds from a pool's first breath to its last, and after it.
namespace brood::testing {
namespace {

class Life : public AllContexts {};
INSTANTIATE_TEST_SUITE_P(contexts, Life, every_context, name_of);

TEST_P(Life, counts_the_time_from_submission_to_execution) {
  constexpr auto span = 30ms;
  Pool pool = make_pool(1);
  const auto busy = keep_busy(pool, 1);
  std::vector<AsyncResult<int>> queued;
  for (int i = 0; i < 10; ++i) queued.push_back(pool.apply_async(square, i));
  const auto map = pool.map_async(square, std::vector(10, 1));
  const auto since = std::chrono::steady_clock::now();
  eventually([&] { return std::chrono::steady_clock::now() - since > span; });
  busy[0].cancel(60s);
  EXPECT_TRUE(wait(queued, 30s).not_done.empty());
  map.get();
  eventually([&] { return pool.stats().done == 20; });
  // By a clock that ticks every 10 ms at least.
  EXPECT_GE(pool.stats().wait_time, 20 * (span - 10ms));
  EXPECT_GE(pool.stats().run_time, span);
}

// A coroutine whose end can be waited for.
struct Later {
  struct promise_type {
    std::promise<std::thread::id> promise;
    Later get_return_object() { return {promise.get_future()}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_value(std::thread::id id) { promise.set_value(id); }
    void unhandled_exception() { promise.set_exception(std::current_exception()); }
  };
  std::future<std::thread::id> future;
};
Later thread_after(AsyncResult<int> result) {
  co_await result;
  co_return std::this_thread::get_id();
}

TEST_P(Life, resumes_coroutines_on_the_callback_thread) {
  Pool pool = make_pool(1);
  const auto busy = keep_busy(pool, 1);
  std::promise<std::thread::id> called;
  pool.apply_async({.callback = [&](int) { called.set_value(std::this_thread::get_id()); }}, square,
                   1);
  auto later = thread_after(pool.apply_async(square, 2));
  busy[0].cancel(60s);
  EXPECT_EQ(later.future.get(), called.get_future().get());
  const auto ready = pool.apply_async(square, 3);
  ready.wait();
  EXPECT_EQ(thread_after(ready).future.get(), std::this_thread::get_id());
}

TEST_P(Life, leaves_no_coroutine_hanging_at_its_end) {
  std::optional<Later> running;
  std::optional<Later> queued;
  AsyncResult<int> result;
  {
    Pool pool = make_pool(1);
    result = keep_busy(pool, 1)[0];
    running.emplace(thread_after(result));
    queued.emplace(thread_after(pool.apply_async(square, 2)));
  }
  EXPECT_THROW(running->future.get(), CancelledError);
  EXPECT_THROW(queued->future.get(), CancelledError);
  EXPECT_THROW(thread_after(result).future.get(), CancelledError);
}

TEST_P(Life, waits_for_the_last_callback_and_takes_no_task_from_it) {
  std::atomic<int> called = 0;
  Pool pool = make_pool(2);
  const auto busy = keep_busy(pool, 2);
  for (int i = 0; i < 10; ++i) {
    pool.apply_async({.callback =
                          [&](int) {
                            EXPECT_THROW(pool.apply_async(square, 1), ValueError);
                            ++called;
                          }},
                     square, i);
  }
  pool.close();
  EXPECT_FALSE(pool.join(0s));
  for (const auto& each : busy) each.cancel(60s);
  EXPECT_TRUE(pool.join());
  EXPECT_EQ(called, 10);
}

class Threads : public ::testing::Test {
 protected:
  Pool pool_{{.processes = 2, .context = Context::thread}};
};

TEST_F(Threads, take_any_closure_as_local) {
  std::vector<int> seen(3);
  pool_.map(local([&](std::size_t i) { seen[i] = static_cast<int>(i) + 1; }), {0u, 1u, 2u});
  EXPECT_EQ(seen, (std::vector{1, 2, 3}));
  const auto box = std::make_unique<int>(7);
  EXPECT_EQ(pool_.apply(local([&box] { return *box; })), 7);
  EXPECT_EQ(pool_.apply_async(local([&](int x) { return *box + x; }), 1).get(), 8);
  int sum = 0;
  for (const int each : pool_.imap(local([&](int x) { return *box * x; }), {1, 2})) sum += each;
  EXPECT_EQ(sum, 21);
}

TEST_F(Threads, throw_the_original_object) {
  static const std::exception_ptr original = std::make_exception_ptr(std::logic_error("this one"));
  const auto result = pool_.apply_async([] { std::rethrow_exception(original); });
  try {
    result.get();
    ADD_FAILURE();
  } catch (const std::logic_error& error) {
    EXPECT_TRUE(std::current_exception() == original);
    EXPECT_EQ(dynamic_cast<const RemoteError*>(&error), nullptr);
  }
}

TEST_F(Threads, hear_of_cancel_timeout_and_terminate_through_their_token) {
  static std::atomic<int> stopped;
  stopped = 0;
  const auto listener = [] {
    until_stopped();
    ++stopped;
  };
  const auto running = [&](const auto& result) {
    eventually([&] { return pool_.poll(result.id()) == JobState::running; });
  };
  const auto cancelled = pool_.apply_async(listener);
  running(cancelled);
  cancelled.cancel();
  eventually([&] { return stopped == 1; });
  EXPECT_THROW(pool_.apply({.timeout = 5ms}, listener), TaskTimeout);
  eventually([&] { return stopped == 2; });
  const auto terminated = pool_.apply_async(listener);
  running(terminated);
  pool_.terminate();
  EXPECT_THROW(terminated.get(), CancelledError);
  eventually([&] { return stopped == 3; });
}

// Stacks that no system has room for, for a while.
class HugeStacks {
 public:
  HugeStacks() {
    ::pthread_attr_init(&attributes_);
    ::pthread_getattr_default_np(&attributes_);
    ::pthread_attr_getstacksize(&attributes_, &before_);
    set(std::size_t{1} << 46);
  }
  ~HugeStacks() {
    set(before_);
    ::pthread_attr_destroy(&attributes_);
  }

 private:
  void set(std::size_t size) {
    ::pthread_attr_setstacksize(&attributes_, size);
    ::pthread_setattr_default_np(&attributes_);
  }
  pthread_attr_t attributes_{};
  std::size_t before_ = 0;
};

TEST_F(Threads, that_are_refused_say_so) {
  const HugeStacks huge;
  EXPECT_THROW((Pool{{.processes = 2, .context = Context::thread}}), SystemError);
  EXPECT_THROW(pool_.apply({.timeout = 1s}, square, 2), SystemError);
  EXPECT_THROW(pool_.resize(4), SystemError);
  EXPECT_EQ(pool_.apply(square, 3), 9);
  const auto deaf = keep_busy(pool_, 1);
  EXPECT_TRUE(deaf[0].cancel());
  EXPECT_EQ(pool_.apply(square, 3), 9);
  pool_.close();
  EXPECT_TRUE(pool_.join());
}

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
