// SPDX-License-Identifier: MIT
#include "os/thread_list.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace brood::os {
namespace {

bool lists(int native_id) {
  const std::vector<int> found = thread_ids();
  return std::find(found.begin(), found.end(), native_id) != found.end();
}

// A thread that waits until it is let go.
class Sleeper {
 public:
  Sleeper() { native_id_.wait(0); }
  ~Sleeper() { end(); }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  int native_id() const { return native_id_; }
  void end() {
    let_go_ = true;
    let_go_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<int> native_id_{0};
  std::atomic<bool> let_go_{false};
  std::thread thread_{[this] {
    native_id_ = current_thread_id();
    native_id_.notify_all();
    let_go_.wait(false);
  }};
};

TEST(thread_list, gives_the_first_thread_the_number_of_the_process) {
  EXPECT_EQ(current_thread_id(), static_cast<int>(::gettid()));
  EXPECT_EQ(current_process_id(), static_cast<int>(::getpid()));
  EXPECT_EQ(current_thread_id(), current_process_id());
}

TEST(thread_list, has_main_and_every_other_thread) {
  const Sleeper one;
  const Sleeper other;
  EXPECT_EQ(thread_ids().front(), current_process_id());
  EXPECT_TRUE(lists(one.native_id()));
  EXPECT_TRUE(lists(other.native_id()));
}

TEST(thread_list, knows_what_exists) {
  Sleeper sleeper;
  EXPECT_TRUE(thread_exists(sleeper.native_id()));
  EXPECT_TRUE(thread_exists(current_thread_id()));
  EXPECT_FALSE(thread_exists(std::numeric_limits<int>::max()));
  sleeper.end();
  while (thread_exists(sleeper.native_id())) std::this_thread::yield();
  EXPECT_FALSE(look_at_thread(sleeper.native_id()).has_value());
}

TEST(thread_list, shows_a_joined_thread_as_exiting_or_not_at_all) {
  for (int round = 0; round < 200; ++round) {
    int native_id = 0;
    std::thread([&native_id] { native_id = current_thread_id(); }).join();
    const auto sight = look_at_thread(native_id);
    ASSERT_TRUE(!sight || sight->exiting);
  }
}

TEST(thread_list, shows_the_caller_on_its_processor) {
  const auto sight = look_at_thread(current_thread_id());
  ASSERT_TRUE(sight.has_value());
  EXPECT_EQ(sight->native_id, current_thread_id());
  EXPECT_EQ(sight->state, 'R');
  EXPECT_TRUE(sight->on_cpu);
  EXPECT_FALSE(sight->exiting);
}

TEST(thread_list, shows_a_sleeper_off_its_processor) {
  const Sleeper sleeper;
  std::optional<ThreadSight> sight;
  do {
    sight = look_at_thread(sleeper.native_id());
    ASSERT_TRUE(sight.has_value());
  } while (sight->state != 'S');
  EXPECT_FALSE(sight->on_cpu);
  EXPECT_FALSE(sight->exiting);
}

TEST(thread_list, names_the_caller_and_others) {
  const Sleeper sleeper;
  name_thread(current_thread_id(), "the caller");
  name_thread(sleeper.native_id(), "the other");
  EXPECT_EQ(look_at_thread(current_thread_id())->name, "the caller");
  EXPECT_EQ(look_at_thread(sleeper.native_id())->name, "the other");
}

TEST(thread_list, reads_names_with_blanks_and_brackets) {
  for (const std::string name : {"a) R 1 2 (b", "((", ")", " ", "R 0 0"}) {
    name_thread(current_thread_id(), name);
    const auto sight = look_at_thread(current_thread_id());
    ASSERT_TRUE(sight.has_value());
    EXPECT_EQ(sight->state, 'R') << name;
    EXPECT_EQ(sight->name, name);
  }
}

TEST(thread_list, cuts_names_at_fifteen_bytes_between_characters) {
  const auto kept = [](const std::string& name) {
    name_thread(current_thread_id(), name);
    return look_at_thread(current_thread_id())->name;
  };
  EXPECT_EQ(kept("exactly-fifteen"), "exactly-fifteen");
  EXPECT_EQ(kept("exactly-sixteen!"), "exactly-sixteen");
  EXPECT_EQ(kept("fourteen-bytes\xC3\xA4"), "fourteen-bytes");
  EXPECT_EQ(kept("thirteen-byte\xC3\xA4\xC3\xB6"), "thirteen-byte\xC3\xA4");
  EXPECT_EQ(kept("twelve-bytes\xE2\x82\xAC!"), "twelve-bytes\xE2\x82\xAC");
  EXPECT_EQ(kept("fourteen-bytes\xF0\x9F\x90\x8D"), "fourteen-bytes");
  EXPECT_EQ(kept(""), "");
}

TEST(thread_list, does_nothing_to_a_thread_that_is_not_there) {
  name_thread(std::numeric_limits<int>::max(), "nobody");
  EXPECT_FALSE(look_at_thread(std::numeric_limits<int>::max()).has_value());
}

}  // namespace
}  // namespace brood::os
