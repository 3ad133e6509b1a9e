// SPDX-License-Identifier: MIT
//
// What the manual promises of processes, written as its reader writes it.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "process/targets.hpp"

namespace brood::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

static_assert(std::is_aggregate_v<ProcessOptions>);
static_assert(!std::is_copy_constructible_v<Process>);
static_assert(std::is_nothrow_move_constructible_v<Process>);

void leave_owned(std::unique_ptr<int> code) { std::exit(*code); }
void leave_with_size(const std::string& text) { std::exit(static_cast<int>(text.size())); }
void leave_with_sum(std::span<const int> all) {
  std::exit(std::accumulate(all.begin(), all.end(), 0));
}
int* a_pointer() { return nullptr; }
std::ostream& a_stream() { return std::cout; }
std::thread a_thread() { return {}; }
void tell_exit(const std::map<std::string, int>& codes, std::tuple<int, std::string> more) {
  std::exit(codes.at("a") + std::get<0>(more));
}

struct Member {
  int code = 0;
  void leave(int more) const { std::exit(code + more); }
};
struct Functor {
  int code = 0;
  void operator()() const { std::exit(code); }
};
struct OnceOnly {
  int code = 0;
  void operator()(int more) && { std::exit(code + more); }
};
struct Undecodable {
  int number = 0;
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(number);
    if (Archive::is_loading::value) throw std::runtime_error("not today");
  }
};

// A call has to travel there, and other threads may run.
class ShippedProcess : public EachProcess {};
class UnspawnedProcess : public EachProcess {};

template <typename... Call>
int exitcode_without_options(Call&&... call) {
  Process process{std::forward<Call>(call)...};
  process.start();
  process.join();
  return process.exitcode().value();
}

TEST(ContractProcess, without_options_takes_every_kind_of_target) {
  int by_value = 7;
  EXPECT_EQ(exitcode_without_options(nothing), 0);
  EXPECT_EQ(exitcode_without_options(leave, 3), 3);
  EXPECT_EQ(exitcode_without_options(&leave, 4), 4);
  EXPECT_EQ(exitcode_without_options(leave_owned, std::make_unique<int>(5)), 5);
  EXPECT_EQ(exitcode_without_options(&Member::leave, Member{4}, 2), 6);
  EXPECT_EQ(exitcode_without_options(Functor{6}), 6);
  EXPECT_EQ(exitcode_without_options(OnceOnly{4}, 3), 7);
  EXPECT_EQ(exitcode_without_options([by_value] { std::exit(by_value); }), 7);
  EXPECT_EQ(exitcode_without_options([](auto a, auto b) { std::exit(int(a + b)); }, 2, 3.5), 5);
  EXPECT_EQ(exitcode_without_options(task(leave, 8)), 8);
  EXPECT_EQ(exitcode_without_options(task(leave_owned, std::make_unique<int>(9))), 9);
  EXPECT_EQ(exitcode_without_options(task(task(OnceOnly{4}, 5))), 9);
}

TEST_P(EachProcess, takes_every_kind_of_target) {
  EXPECT_EQ(exitcode_of(leave_owned, std::make_unique<int>(5)), 5);
  EXPECT_EQ(exitcode_of(leave_with_size, "literal"), 7);
  EXPECT_EQ(exitcode_of(leave_with_sum, std::vector{1, 2, 3}), 6);
  EXPECT_EQ(
      exitcode_of(tell_exit, std::map<std::string, int>{{"a", 2}}, std::tuple{3, std::string("x")}),
      5);
  EXPECT_EQ(exitcode_of(&Member::leave, Member{4}, 2), 6);
  EXPECT_EQ(exitcode_of(OnceOnly{4}, 3), 7);
  EXPECT_EQ(exitcode_of(task(leave_owned, std::make_unique<int>(9))), 9);
}

TEST_P(EachProcess, ignores_what_its_target_returns) {
  EXPECT_EQ(exitcode_of(seven), 0);
  EXPECT_EQ(exitcode_of(a_pointer), 0);
  EXPECT_EQ(exitcode_of(a_stream), 0);
  EXPECT_EQ(exitcode_of(a_thread), 0);
}

TEST(ContractProcess, of_a_fork_takes_whatever_the_program_has) {
  const ProcessOptions fork{.context = Context::fork};
  int number = 4;
  const std::string text = "text";
  const auto code = [&](auto&&... call) {
    Process process(fork, std::forward<decltype(call)>(call)...);
    process.start();
    process.join();
    return process.exitcode().value();
  };
  EXPECT_EQ(code([&] { std::exit(number + int(text.size())); }), 8);
  EXPECT_EQ(code([text, owned = std::make_unique<int>(2)] { std::exit(*owned); }), 2);
  EXPECT_EQ(code([](int& by_reference) { std::exit(by_reference); }, std::ref(number)), 4);
  EXPECT_EQ(code([](const int* pointer) { std::exit(*pointer); }, &number), 4);
  EXPECT_EQ(code(std::bind(leave, 5)), 5);
  EXPECT_EQ(code(std::function<void()>([&] { std::exit(number); })), 4);
  EXPECT_EQ(code(local([&] { std::exit(number); })), 4);
}

TEST_P(EachProcess, has_an_exit_code_of_every_form) {
  EXPECT_EQ(exitcode_of(leave, -1), 255);
  EXPECT_EQ(exitcode_of(leave, 300), 44);
  EXPECT_EQ(exitcode_of([] { std::quick_exit(6); }), 6);
  EXPECT_EQ(exitcode_of([] { ::pthread_exit(nullptr); }), 0);
  EXPECT_EQ(exitcode_of([] { ::raise(SIGTERM); }), -SIGTERM);
  EXPECT_EQ(exitcode_of([] { std::thread([] { throw 1; }).join(); }), -SIGABRT);
  EXPECT_EQ(exitcode_of([] {
              Thread failing{[] { throw 1; }};
              failing.start();
            }),
            0)
      << "an exception that leaves a Thread is the hook's, and takes nobody down";
}

TEST_P(EachProcess, ends_with_1_for_an_exception_that_says_nothing) {
  struct Speechless : std::exception {
    const char* what() const noexcept override { return nullptr; }
  };
  EXPECT_EQ(exitcode_of([] { throw Speechless{}; }), 1);
  EXPECT_EQ(exitcode_of([] { throw static_cast<const char*>(nullptr); }), 1);
}

TEST_P(ShippedProcess, that_cannot_read_its_arguments_ends_with_1) {
  EXPECT_EQ(exitcode_of([](Undecodable) {}, Undecodable{}), 1);
}

TEST_P(ShippedProcess, tells_what_of_a_call_cannot_travel) {
  int number = 0;
  const std::string text;
  const ProcessOptions options{.context = GetParam()};
  const auto refusal = [&options](auto&&... call) { return [=] { Process(options, call...); }; };
  EXPECT_THAT(refusal([text] { static_cast<void>(text); }),
              ThrowsMessage<ShipError>(HasSubstr(": its target (")));
  EXPECT_THAT(refusal([](std::tuple<int, std::string>) {}, std::tuple{3, "x"}),
              ThrowsMessage<ShipError>(HasSubstr("argument (std::tuple<int, char const*>)")));
  EXPECT_THAT(refusal([](const int*) {}, &number),
              ThrowsMessage<ShipError>(HasSubstr("an argument (int*)")));
  EXPECT_THAT(refusal([](const char*) {}, "x"),
              ThrowsMessage<ShipError>(HasSubstr("a parameter (a pointer, or a reference")));
}

TEST_P(EachProcess, has_a_main_thread_of_its_own) {
  const std::string file = scratch_.path("told");
  EXPECT_EQ(exitcode_of(
                [](const std::string& told) {
                  const bool right =
                      main_thread() == current_thread() && main_thread().name == "MainThread";
                  write_file(told, right ? std::to_string(current_thread().native_id()) : "wrong");
                },
                file),
            0);
  EXPECT_THAT(read_file(file), ::testing::MatchesRegex("[0-9]+"));
  EXPECT_NE(read_file(file), std::to_string(main_thread().native_id()));
}

TEST_P(EachProcess, that_is_stopped_is_alive_and_can_be_killed) {
  Process process = make(wait_for_ever);
  process.start();
  ::kill(process.pid(), SIGSTOP);
  EXPECT_TRUE(process.is_alive());
  EXPECT_FALSE(process.join(1ms));
  process.kill();
  EXPECT_TRUE(process.join());
  EXPECT_EQ(process.exitcode(), -9);
}

TEST_P(EachProcess, is_joined_by_many_threads_that_all_see_its_exit_code) {
  const Gate gate(scratch_);
  Process process = make(
      [](const std::string& at) {
        pass(at);
        std::exit(4);
      },
      gate.path());
  process.start();
  std::atomic<int> right{0};
  std::vector<std::thread> joiners;
  for (int i = 0; i < 16; ++i) {
    joiners.emplace_back(
        [&] { right += process.join() && process.exitcode() == 4 && !process.is_alive(); });
  }
  gate.open();
  for (auto& joiner : joiners) joiner.join();
  EXPECT_EQ(right, 16);
}

TEST_P(ShippedProcess, is_started_from_several_threads_at_once) {
  std::atomic<int> right{0};
  std::vector<std::thread> starters;
  for (int i = 0; i < 8; ++i) {
    starters.emplace_back([&, i] {
      for (int round = 0; round < 3; ++round) right += exitcode_of(leave, i) == i;
    });
  }
  for (auto& starter : starters) starter.join();
  EXPECT_EQ(right, 24);
}

TEST_P(ShippedProcess, is_started_once_though_many_try) {
  Process process = make(nothing);
  std::atomic<int> started{0};
  std::vector<std::thread> starters;
  for (int i = 0; i < 8; ++i) {
    starters.emplace_back([&] {
      try {
        process.start();
        ++started;
      } catch (const ValueError&) {
      }
    });
  }
  for (auto& starter : starters) starter.join();
  EXPECT_EQ(started, 1);
  process.join();
}

void do_nothing(int) {}

TEST_P(ShippedProcess, is_joined_though_signals_come) {
  struct sigaction handled{};
  handled.sa_handler = do_nothing;
  ::sigaction(SIGUSR1, &handled, nullptr);
  const Gate gate(scratch_);
  Process process = make(wait_at, gate.path());
  process.start();
  const pthread_t joiner = ::pthread_self();
  std::thread disturber([&] {
    for (int i = 0; i < 100; ++i) ::pthread_kill(joiner, SIGUSR1);
    gate.open();
    for (int i = 0; i < 100; ++i) ::pthread_kill(joiner, SIGUSR1);
  });
  EXPECT_TRUE(process.join());
  disturber.join();
  EXPECT_EQ(process.exitcode(), 0);
}

// An exec makes the kernel forget that a child's end raises no signal, so a
// spawned one can be seen by the program's own waits, as any child.
TEST_P(UnspawnedProcess, is_none_of_the_programs_own_waits) {
  ::signal(SIGCHLD, SIG_IGN);
  Process process = make(leave, 5);
  process.start();
  struct pollfd ended{process.sentinel(), POLLIN, 0};
  EXPECT_EQ(::poll(&ended, 1, 50'000), 1);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  process.join();
  EXPECT_EQ(process.exitcode(), 5);
  ::signal(SIGCHLD, SIG_DFL);
}

TEST_P(EachProcess, whose_exit_code_another_wait_took_has_ended) {
  Process process = make(leave, 5);
  process.start();
  int status = 0;
  EXPECT_EQ(::waitpid(process.pid(), &status, __WALL), process.pid());
  EXPECT_TRUE(process.join());
  EXPECT_FALSE(process.is_alive());
  // Since Linux 6.15 its descriptor still knows the code.
  EXPECT_TRUE(process.exitcode() == 255 || process.exitcode() == 5) << *process.exitcode();
}

TEST_P(EachProcess, is_listed_among_the_children_with_what_it_is) {
  Process process({.name = "listed", .daemon = true, .context = GetParam()}, wait_for_ever);
  process.start();
  const auto children = active_children();
  ASSERT_EQ(children.size(), 1u);
  EXPECT_EQ(children[0].name, "listed");
  EXPECT_EQ(children[0].pid(), process.pid());
  EXPECT_TRUE(children[0].daemon);
  children[0].terminate();
  EXPECT_TRUE(children[0].join());
  EXPECT_EQ(process.exitcode(), -SIGTERM);
  EXPECT_TRUE(active_children().empty());
}

TEST_P(EachProcess, that_was_never_started_is_closed_for_good) {
  Process process = make(nothing);
  process.close();
  EXPECT_THROW(process.start(), ValueError);
  EXPECT_THROW(process.pid(), ValueError);
}

TEST(MainProcess, has_a_processor) {
  EXPECT_GE(cpu_count(), 1u);
  EXPECT_EQ(current_process().pid, ::getpid());
  EXPECT_EQ(parent_process(), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(contract, EachProcess, every_process, name_of);
INSTANTIATE_TEST_SUITE_P(contract, ShippedProcess,
                         ::testing::Values(Context::forkserver, Context::spawn), name_of);
INSTANTIATE_TEST_SUITE_P(contract, UnspawnedProcess,
                         ::testing::Values(Context::forkserver, Context::fork), name_of);

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
