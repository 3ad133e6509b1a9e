// SPDX-License-Identifier: MIT
#include "thread/registry.hpp"

#include <unistd.h>

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <brood/thread.hpp>
#include "os/clone.hpp"
#include "os/pidfd.hpp"
#include "os/thread_list.hpp"
#include "thread/gate.hpp"

namespace brood::detail {
namespace {

// Workers are cloned, not forked: no handler of pthread_atfork runs in them.
TEST(registry, notices_a_child_that_was_cloned) {
  Thread before{[] {}};
  before.start();
  before.join();
  os::CloneResult clone = os::clone_process(os::Parent::caller);
  if (clone.side == os::Side::child) {
    const bool right = enumerate().size() == 1 && main_thread() == current_thread() &&
                       main_thread().native_id == static_cast<int>(::getpid()) &&
                       main_thread().name == "MainThread";
    Thread thread{{.name = "child's"}, [] {}};
    thread.start();
    const bool joined = thread.join() && enumerate().size() == 1;
    ::_exit(right && joined ? 0 : 1);
  }
  ASSERT_TRUE(os::wait_for_end(clone.child.pidfd.get(), Deadline{}));
  const auto status = os::reap(clone.child);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->as_exitcode(), 0);
}

TEST(registry, forgets_a_daemon_that_ended_with_nobody_to_join_it) {
  auto record = make_thread_record({.name = "daemon", .daemon = true}, bind_target([] {}));
  const std::weak_ptr<ThreadRecord> watched = record;
  record->start();
  const int native_id = record->native_id();
  record->abandon();
  record.reset();
  until([native_id] { return !os::thread_exists(native_id); });
  // The next one that starts sweeps.
  Thread next{[] {}};
  next.start();
  EXPECT_TRUE(watched.expired());
}

TEST(registry, keeps_an_ended_daemon_as_long_as_its_thread_is_there) {
  Gate gate;
  auto record =
      make_thread_record({.name = "daemon", .daemon = true}, bind_target([&gate] { gate.pass(); }));
  const std::weak_ptr<ThreadRecord> watched = record;
  record->start();
  const int native_id = record->native_id();
  record->abandon();
  record.reset();
  Thread next{[] {}};
  next.start();
  EXPECT_FALSE(watched.expired());
  EXPECT_EQ(enumerate()[1].name, "daemon");
  gate.open();
  until([native_id] { return !os::thread_exists(native_id); });
}

TEST(registry, forgets_a_thread_when_it_is_joined) {
  auto record = make_thread_record({}, bind_target([] {}));
  const std::weak_ptr<ThreadRecord> watched = record;
  record->start();
  record->join(Deadline{});
  record.reset();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace brood::detail
