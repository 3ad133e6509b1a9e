// SPDX-License-Identifier: MIT
//
// Both sides of a lane as threads of one process: a race between processes is
// invisible to ThreadSanitizer, a race between these two is not.
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lane/parent_end.hpp"
#include "lane/worker_end.hpp"
#include "os/futex.hpp"
#include "os/poller.hpp"

namespace brood::lane {
namespace {

constexpr Geometry small{16, 16384};

// Answers each task with its own request, until the lane is closed.
void echo(WorkerEnd& worker) {
  while (const auto claim = worker.take()) {
    AnswerWriter out(claim->answer_area);
    claim->slot->begun.store(1, std::memory_order_relaxed);
    out.write(claim->callable.data(), claim->callable.size());
    claim->slot->answer_end.store(out.size(), std::memory_order_relaxed);
    claim->slot->ended.store(1, std::memory_order_release);
    worker.finish(*claim);
  }
}

class LaneThreadsTest : public testing::Test {
 protected:
  void TearDown() override {
    parent.close();
    other_side.join();
  }

  // Sleeps until the oldest task is done.
  Answer wait() {
    for (;;) {
      if (auto answer = parent.take()) return std::move(*answer);
      const auto place = parent.mark_waiter(parent.oldest());
      if (place) os::futex_wait_any(&*place, 1, Deadline());
    }
  }

  std::uint64_t give(std::uint64_t number) {
    std::byte bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    Parcel parcel;
    parcel.callable = bytes;
    const auto position = parent.give(parcel);
    parent.wake();
    return *position;
  }

  static std::uint64_t number_in(const Answer& answer) {
    std::uint64_t number = 0;
    std::memcpy(&number, answer.values.data(), sizeof number);
    return number;
  }

  os::Bell bell;
  ParentEnd parent{small};
  WorkerEnd worker{parent.data(), parent.worker_channel(), bell.fd()};
  std::thread other_side{[this] { echo(worker); }};
};

TEST_F(LaneThreadsTest, plays_ping_pong_without_losing_a_wake) {
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    give(i);
    const Answer answer = wait();
    ASSERT_EQ(number_in(answer), i);
    parent.release(answer);
  }
}

TEST_F(LaneThreadsTest, keeps_the_order_of_a_full_lane) {
  std::uint64_t given = 0;
  for (std::uint64_t taken = 0; taken < 50'000; ++taken) {
    while (parent.outstanding() < small.slots) give(given++);
    const Answer answer = wait();
    ASSERT_EQ(number_in(answer), taken);
    parent.release(answer);
  }
  while (parent.outstanding() > 0) parent.release(wait());
}

TEST_F(LaneThreadsTest, runs_or_withdraws_each_task_but_never_both) {
  std::uint64_t withdrawn = 0;
  std::uint64_t done = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const std::uint64_t position = give(i);
    const bool revoked = parent.revoke(position);
    // A next one makes the worker pass the withdrawn slot.
    give(~i);
    const Answer first = wait();
    EXPECT_EQ(first.done, !revoked);
    ++(revoked ? withdrawn : done);
    parent.release(first);
    const Answer second = wait();
    ASSERT_EQ(number_in(second), ~i);
    parent.release(second);
  }
  EXPECT_EQ(withdrawn + done, 20'000u);
}

TEST_F(LaneThreadsTest, is_rung_for_each_task_that_carries_the_bell) {
  os::Poller poller;
  poller.watch(bell.fd(), 1);
  for (std::uint64_t i = 0; i < 5'000; ++i) {
    const std::uint64_t position = give(i);
    if (parent.set_bell(position)) {
      poller.wait();
      bell.quiet();
    }
    const auto answer = parent.take();
    ASSERT_TRUE(answer);
    parent.release(*answer);
  }
}

}  // namespace
}  // namespace brood::lane
