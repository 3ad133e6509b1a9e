// SPDX-License-Identifier: MIT
//
// Two that wait for each other in turn, and the CPUs that they stand on. A thread of its own
// is both, so that the test's may stay where it may be.
#include <thread>

#include <gtest/gtest.h>

#include "lane/bytes.hpp"
#include "lane/parent_end.hpp"
#include "lane/worker_end.hpp"
#include "os/place.hpp"
#include "os/poller.hpp"

namespace brood::lane {
namespace {

class Neighbours : public testing::Test {
 protected:
  // A task, and its answer, for which somebody sleeps.
  void answer_a_sleeper() {
    const auto request = bytes_of("x");
    Parcel parcel;
    parcel.callable = request;
    parcel.count = 1;
    ASSERT_TRUE(parent.give(parcel));
    ASSERT_TRUE(parent.mark_waiter(parent.oldest()));
    const auto claim = worker.take();
    ASSERT_TRUE(claim);
    ASSERT_TRUE(worker.finish(*claim));
    const auto answer = parent.take();
    ASSERT_TRUE(answer);
    parent.release(*answer);
  }

  os::Bell bell;
  ParentEnd parent{{4, 4096}};
  WorkerEnd worker{parent.data(), parent.worker_channel(), bell.fd()};
};

TEST_F(Neighbours, a_worker_leaves_the_cpu_of_a_caller_that_sleeps) {
  std::thread([this] {
    const auto allowed = os::allowed_cpus();
    int caller_cpu = -1;
    // The kernel may move it back at once.
    do {
      caller_cpu = os::current_cpu();
      answer_a_sleeper();
    } while (os::current_cpu() == caller_cpu && allowed.size() > 1);
    EXPECT_EQ(os::allowed_cpus(), allowed);
  }).join();
}

TEST_F(Neighbours, a_worker_that_may_not_stays) {
  std::thread([this] {
    os::occupy({{os::allowed_cpus().front()}, {}});
    const auto allowed = os::allowed_cpus();
    for (int i = 0; i < 600; ++i) answer_a_sleeper();
    EXPECT_EQ(os::allowed_cpus(), allowed);
    EXPECT_EQ(parent.neighbour(), ParentEnd::Neighbour::here);
  }).join();
}

TEST_F(Neighbours, a_caller_knows_whether_its_worker_can_be_awake) {
  std::thread([this] {
    const auto allowed = os::allowed_cpus();
    os::occupy({{allowed.front()}, {}});
    worker.ready();
    EXPECT_EQ(parent.neighbour(), ParentEnd::Neighbour::here);
    if (allowed.size() == 1) return;
    os::occupy({{allowed.back()}, {}});
    EXPECT_EQ(parent.neighbour(), ParentEnd::Neighbour::gone_elsewhere);
    EXPECT_EQ(parent.neighbour(), ParentEnd::Neighbour::elsewhere);
  }).join();
}

}  // namespace
}  // namespace brood::lane
