// SPDX-License-Identifier: MIT
#include <array>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <brood/base/error.hpp>
#include <brood/process/init.hpp>

#include "os/channel.hpp"
#include "os/child_setup.hpp"
#include "os/clone.hpp"
#include "os/pidfd.hpp"
#include "os/poller.hpp"
#include "os/unique_fd.hpp"
#include "process/children_of_tests.hpp"
#include "process/home.hpp"
#include "support/processes.hpp"

namespace brood::process {
namespace {

using namespace std::chrono_literals;

TEST(nursery, bears_a_child_that_runs_the_given_function) {
  EXPECT_EQ(exit_of(bear(order_for(&leave_with_seven), {})), 7);
}

TEST(nursery, gives_its_children_the_descriptors_that_they_are_to_have) {
  auto [here, there] = os::make_channel();
  const int fd = there.get();
  const os::Child child = bear(order_for(&say_hello), std::span(&fd, 1));
  EXPECT_EQ(heard(here.get()), 42);
  EXPECT_EQ(exit_of(child), 0);
}

TEST(nursery, reports_the_code_of_a_child_that_calls_exit) {
  EXPECT_EQ(exit_of(bear(order_for(&exit_in_the_middle), {})), 5);
}

TEST(nursery, reports_the_signal_that_ended_a_child) {
  auto [here, there] = os::make_channel();
  const int fd = there.get();
  const os::Child child = bear(order_for(&wait_for_ever), std::span(&fd, 1));
  ASSERT_EQ(heard(here.get()), 42);
  os::send_signal(child.pidfd.get(), os::terminate_signal);
  EXPECT_EQ(exit_of(child), -15);
}

TEST(nursery, hides_its_children_from_the_users_own_waitpid) {
  auto [here, there] = os::make_channel();
  const int fd = there.get();
  const os::Child child = bear(order_for(&wait_for_ever), std::span(&fd, 1));
  ASSERT_EQ(heard(here.get()), 42);
  os::send_signal_to_group(child, os::kill_signal);
  ASSERT_TRUE(os::wait_for_end(child.pidfd.get(), Deadline()));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(exit_of(child), -9);
}

// Its descriptor stays readable until it's reaped.
TEST(nursery, sleeps_while_a_child_that_has_ended_is_not_reaped) {
  const os::Child child = bear(order_for(&leave_with_seven), {});
  ASSERT_TRUE(os::wait_for_end(child.pidfd.get(), Deadline()));
  const int nursery = home_nursery()->pid();
  while (testing::look_at_process(nursery)->state != 'S') std::this_thread::yield();
  EXPECT_EQ(exit_of(child), 7);
}

TEST(nursery, starts_the_program_anew_for_a_spawned_child) {
  auto [here, there] = os::make_channel();
  const int fd = there.get();
  Order order = order_for(&say_hello);
  order.method = StartMethod::spawned;
  const os::Child child = bear(order, std::span(&fd, 1));
  EXPECT_EQ(heard(here.get()), 42);
  EXPECT_EQ(exit_of(child), 0);
}

TEST(nursery, is_replaced_when_it_was_killed) {
  hold_spare_nursery();
  renew_spare_nursery();
  const auto first = home_nursery();
  os::send_signal(first->pidfd(), os::kill_signal);
  ASSERT_TRUE(os::wait_for_end(first->pidfd(), Deadline()));
  EXPECT_EQ(exit_of(bear(order_for(&leave_with_seven), {})), 7);
  EXPECT_NE(home_nursery()->pid(), first->pid());
  drop_spare_nursery();
}

TEST(nursery, keeps_the_children_of_a_killed_one_as_the_programs_own) {
  hold_spare_nursery();
  renew_spare_nursery();
  auto [here, there] = os::make_channel();
  const int fd = there.get();
  const os::Child child = bear(order_for(&wait_for_ever), std::span(&fd, 1));
  ASSERT_EQ(heard(here.get()), 42);
  os::send_signal(home_nursery()->pidfd(), os::kill_signal);
  os::send_signal(child.pidfd.get(), os::terminate_signal);
  EXPECT_EQ(exit_of(child), -15);
  EXPECT_EQ(exit_of(bear(order_for(&leave_with_seven), {})), 7);
  drop_spare_nursery();
}

// In a copy of this program: makes a child of its own, then dies of SIGKILL. The
// child holds the channel, so it has ended when the other end is hung up.
TEST(nursery, has_the_tied_children_of_a_killed_program_die_with_it) {
  auto [here, there] = os::make_channel();
  os::CloneResult program = os::clone_process(os::Parent::caller);
  if (program.side == os::Side::child) {
    leave_home();
    here.reset();
    const int fd = there.get();
    bear(order_for(&wait_for_ever), std::span(&fd, 1));
    os::sleep_until_killed();
  }
  there.reset();
  EXPECT_EQ(heard(here.get()), 42);
  os::send_signal(program.child.pidfd.get(), os::kill_signal);
  EXPECT_EQ(exit_of(program.child), -9);
  EXPECT_EQ(heard(here.get()), -1);
}

// Many births in a row.

// `most` requests for children that leave with their numbers, from 1.
struct Numbered {
  std::uint32_t most;
  std::uint32_t asked = 0;
  std::optional<Request> operator()() {
    if (asked == most) return std::nullopt;
    Request request{order_for(&leave_with_number), {}};
    request.order.number = ++asked;
    return request;
  }
};

void expect_to_leave_with_their_numbers(const std::vector<os::Child>& children) {
  for (std::size_t i = 0; i < children.size(); ++i) {
    EXPECT_EQ(exit_of(children[i]), static_cast<int>(i + 1));
  }
}

TEST(births, hand_over_the_children_in_the_order_of_their_requests) {
  std::vector<os::Child> children;
  home_nursery()->births(Numbered{100},
                         [&](os::Child child) { children.push_back(std::move(child)); });
  ASSERT_EQ(children.size(), 100U);
  expect_to_leave_with_their_numbers(children);
}

TEST(births, of_nothing_are_none) {
  home_nursery()->births(Numbered{0}, [&](const os::Child&) { FAIL(); });
}

TEST(births, end_with_what_the_maker_of_requests_throws_after_what_was_asked_for) {
  std::vector<os::Child> children;
  Numbered numbers{4};
  EXPECT_THROW(home_nursery()->births(
                   [&] {
                     auto request = numbers();
                     if (!request) throw std::out_of_range("no more");
                     return request;
                   },
                   [&](os::Child child) { children.push_back(std::move(child)); }),
               std::out_of_range);
  // Those on their way already may not live, as their maker has failed.
  ASSERT_EQ(children.size(), 2U);
  expect_to_leave_with_their_numbers(children);
  EXPECT_EQ(exit_of(bear(order_for(&leave_with_seven), {})), 7);
}

std::set<int> descriptors_of(int pid) {
  std::set<int> open;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"))
    open.insert(std::stoi(entry.path().filename()));
  return open;
}

// Until the end a process has room for so many descriptors more.
class DescriptorLimit {
 public:
  DescriptorLimit(int pid, std::size_t room) : pid_(pid) {
    const std::set<int> open = descriptors_of(pid);
    int limit = 0;
    for (std::size_t free = 0; free < room; ++limit) free += open.contains(limit) ? 0U : 1U;
    ::prlimit(pid_, RLIMIT_NOFILE, nullptr, &before_);
    rlimit lower = before_;
    lower.rlim_cur = static_cast<rlim_t>(limit);
    EXPECT_EQ(::prlimit(pid_, RLIMIT_NOFILE, &lower, nullptr), 0);
  }
  ~DescriptorLimit() { ::prlimit(pid_, RLIMIT_NOFILE, &before_, nullptr); }

 private:
  int pid_;
  rlimit before_{};
};

// Each request holds two descriptors until its child is born, so that few may be on the way.
TEST(births, are_as_many_as_the_programs_descriptors_allow) {
  constexpr std::uint32_t most = 40;
  std::vector<os::Child> children;
  std::deque<std::array<os::UniqueFd, 2>> held;
  Numbered numbers{most};
  const auto next = [&]() -> std::optional<Request> {
    std::array<os::UniqueFd, 2> both{os::duplicate(1), os::duplicate(1)};
    auto request = numbers();
    if (request) held.push_back(std::move(both));
    return request;
  };
  const auto born = [&](os::Child child) {
    held.pop_front();
    children.push_back(std::move(child));
  };
  home_nursery();
  {
    const DescriptorLimit limit(::getpid(), most + 5);
    home_nursery()->births(next, born);
  }
  ASSERT_EQ(children.size(), most);
  expect_to_leave_with_their_numbers(children);
}

TEST(births, are_as_many_as_the_nurserys_descriptors_allow) {
  constexpr std::uint32_t most = 40;
  std::vector<os::Child> children;
  Numbered numbers{most};
  const auto next = [&] {
    auto request = numbers();
    if (request) request->descriptors.assign(4, 1);
    return request;
  };
  const int nursery = home_nursery()->pid();
  while (testing::look_at_process(nursery).value().state != 'S') std::this_thread::yield();
  {
    // Of one birth: what it's given, an end of the life-line, and the pidfd, twice for a moment.
    const DescriptorLimit limit(nursery, most + 7);
    home_nursery()->births(next, [&](os::Child child) { children.push_back(std::move(child)); });
  }
  ASSERT_EQ(children.size(), most);
  expect_to_leave_with_their_numbers(children);
}

TEST(births, end_where_a_nursery_has_no_descriptor_left) {
  const int nursery = home_nursery()->pid();
  while (testing::look_at_process(nursery).value().state != 'S') std::this_thread::yield();
  {
    const DescriptorLimit limit(nursery, 0);
    EXPECT_THROW(home_nursery()->births(Numbered{3}, [](const os::Child&) { FAIL(); }),
                 SystemError);
  }
  EXPECT_EQ(exit_of(bear(order_for(&leave_with_seven), {})), 7);
}

// Each child holds `fd` for as long as it lives.
NextRequest waiting_children(int fd) {
  return [fd]() -> std::optional<Request> { return Request{order_for(&wait_for_ever), {fd}}; };
}

TEST(births, leave_no_child_that_was_handed_to_nobody) {
  auto [here, there] = os::make_channel();
  EXPECT_THROW(home_nursery()->births(waiting_children(there.get()),
                                      [](const os::Child& child) {
                                        os::end_child(child.pid);
                                        throw std::length_error("no room for it");
                                      }),
               std::length_error);
  there.reset();
  while (heard(here.get()) == 42) {
  }
  EXPECT_EQ(exit_of(bear(order_for(&leave_with_seven), {})), 7);
}

// Until then the spare has all that its nursery has: the ends of its channels, too.
void wait_until_nurseries_sleep() {
  for (const auto& sight : testing::descendants_of(::getpid())) {
    if (sight.name != "brood-nursery") continue;
    while (testing::look_at_process(sight.pid).value().state != 'S') std::this_thread::yield();
  }
}

// It has no more to do than to die: it answered, and sleeps.
TEST(births, say_so_when_the_nursery_ends_after_its_last_answer) {
  hold_spare_nursery();
  renew_spare_nursery();
  wait_until_nurseries_sleep();
  auto [here, there] = os::make_channel();
  const auto nursery = home_nursery();
  const auto request = waiting_children(there.get());
  std::vector<os::Child> children;
  int asked = 0;
  const auto next = [&] {
    if (++asked == 3) {
      EXPECT_EQ(heard(here.get()), 42);
      EXPECT_EQ(heard(here.get()), 42);
      while (testing::look_at_process(nursery->pid()).value().state != 'S')
        std::this_thread::yield();
      os::send_signal(nursery->pidfd(), os::kill_signal);
      EXPECT_TRUE(os::wait_for_end(nursery->pidfd(), Deadline()));
    }
    return request();
  };
  EXPECT_THROW(
      nursery->births(next, [&](os::Child child) { children.push_back(std::move(child)); }),
      ContextError);
  EXPECT_EQ(asked, 4);  // the third and the fourth go together
  ASSERT_EQ(children.size(), 2U);
  for (const os::Child& child : children) {
    os::send_signal(child.pidfd.get(), os::kill_signal);
    EXPECT_EQ(exit_of(child), -9);
  }
  drop_spare_nursery();
}

TEST(births, leave_no_unknown_child_of_a_nursery_that_is_killed_meanwhile) {
  hold_spare_nursery();
  for (int round = 0; round < 20; ++round) {
    renew_spare_nursery();
    auto [here, there] = os::make_channel();
    const auto nursery = home_nursery();
    std::vector<os::Child> children;
    EXPECT_THROW(nursery->births(waiting_children(there.get()),
                                 [&](os::Child child) {
                                   children.push_back(std::move(child));
                                   os::send_signal(nursery->pidfd(), os::kill_signal);
                                 }),
                 ContextError);
    ASSERT_FALSE(children.empty());
    for (const os::Child& child : children) {
      os::send_signal(child.pidfd.get(), os::kill_signal);
      EXPECT_EQ(exit_of(child), -9);
    }
    there.reset();
    while (heard(here.get()) == 42) {
    }
  }
  EXPECT_EQ(exit_of(bear(order_for(&leave_with_seven), {})), 7);
  drop_spare_nursery();
}

TEST(nursery, cannot_be_made_while_other_threads_run_and_names_them) {
  os::Bell done;
  os::CloneResult program = os::clone_process(os::Parent::caller);
  if (program.side == os::Side::child) {
    leave_home();
    std::thread other([&] {
      os::name_this_process("busy-bee");
      os::Poller poller;
      poller.watch(done.fd(), 0);
      poller.wait();
    });
    int code = 1;
    try {
      // The thread may not have its name yet; the message has what it has.
      make_home(Caller::library);
    } catch (const ContextError& error) {
      code = std::string(error.what()).find("brood::init(argc, argv)") != std::string::npos ? 0 : 2;
    }
    done.ring();
    other.join();
    os::leave(code);
  }
  EXPECT_EQ(exit_of(program.child), 0);
}

}  // namespace
}  // namespace brood::process

int main(int argc, char** argv) {
  brood::init(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
