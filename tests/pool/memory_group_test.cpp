// SPDX-License-Identifier: MIT
//
// What holds where each worker has a control group of its own. main puts the tests
// into a group that was delegated to them, if this machine lets it; else each says why
// it's skipped.
#include <gmock/gmock.h>
#include <sys/xattr.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "os/control_group.hpp"
#include "pool/contexts.hpp"
#include "pool/memory_tasks.hpp"
#include "support/program.hpp"
#include "support/watchdog.hpp"

namespace brood::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t limit = 64 * MiB;

// Why there are no groups here; empty when there are.
std::string reason_to_skip() {
  if (os::memory_base()) return {};
  return "no control group of version 2 that may limit memory is delegated to this process, or "
         "can be made by it (own group: " +
         os::own_group().value_or("none") + ')';
}

std::vector<std::string> groups_of_pools() {
  std::vector<std::string> found;
  for (const std::string& name : entries_of(os::memory_base().value_or(""))) {
    if (name.starts_with("brood.")) found.push_back(name);
  }
  return found;
}
std::vector<std::string> groups_of_workers() {
  std::vector<std::string> found;
  for (const std::string& pool : groups_of_pools()) {
    const auto all = std::filesystem::directory_iterator(*os::memory_base() + '/' + pool);
    for (const auto& entry : all) {
      if (entry.is_directory()) found.push_back(entry.path().filename());
    }
  }
  return found;
}

class MemoryGroup : public Processes {
 protected:
  void SetUp() override {
    if (const std::string reason = reason_to_skip(); !reason.empty()) GTEST_SKIP() << reason;
  }
  PoolOptions limited(Count processes = 1) const {
    PoolOptions limited = options(processes);
    limited.memory_limit = limit;
    return limited;
  }
};
INSTANTIATE_TEST_SUITE_P(contexts, MemoryGroup, every_process, name_of);

template <typename Task>
void expect_kill_by_the_limit(Pool& pool, Task task) {
  try {
    pool.apply(task);
    ADD_FAILURE() << "it came back";
  } catch (const MemoryLimitExceeded& death) {
    EXPECT_EQ(death.signal(), SIGKILL);
    EXPECT_EQ(death.limit(), limit);
    EXPECT_GE(death.peak(), limit - MiB);
    EXPECT_LE(death.peak(), limit + MiB);
    EXPECT_THAT(death.what(), HasSubstr("met its memory_limit of 64 MiB"));
  }
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

TEST_P(MemoryGroup, counts_what_is_touched_however_it_was_got) {
  Pool pool(limited());
  expect_kill_by_the_limit(pool, grow_for_ever);
  expect_kill_by_the_limit(pool, [] {
    void* const shared =
        ::mmap(nullptr, 2 * limit, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    touched(static_cast<char*>(shared), 2 * limit);
  });
}

TEST_P(MemoryGroup, does_not_count_what_is_only_reserved) {
  Pool pool(limited());
  EXPECT_TRUE(pool.apply([] {
    char* const reserved = new char[16 * limit];
    touched(reserved, piece);
    return reserved[piece - 1] == 1;
  }));
}

TEST_P(MemoryGroup, counts_what_a_task_starts_and_ends_it_too) {
  Pool pool(limited());
  expect_kill_by_the_limit(pool, [] {
    if (::fork() == 0) {
      for (;;) ::pause();
    }
    if (::fork() == 0) grow_for_ever();
    for (;;) ::pause();
  });
  EXPECT_TRUE(Watchdog().sees([] { return groups_of_workers().size() == 1; }));
}

TEST_P(MemoryGroup, tells_a_kill_by_somebody_else) {
  Pool pool(limited());
  try {
    pool.apply([] { ::raise(SIGKILL); });
    ADD_FAILURE() << "it came back";
  } catch (const MemoryLimitExceeded& wrong) {
    ADD_FAILURE() << wrong.what();
  } catch (const WorkerCrashed& right) {
    EXPECT_THAT(right.what(), HasSubstr("which leaves no trace: not by the kernel"));
  }
}

TEST_P(MemoryGroup, tells_a_kill_for_a_wider_limit) {
  // Of the program and all its workers, as a container has it.
  const std::string wider = *os::memory_base() + "/memory.max";
  if (!std::filesystem::exists(wider)) GTEST_SKIP() << "the root group has no limit";
  PoolOptions generous = limited();
  generous.memory_limit = 10 * GiB;
  Pool pool(generous);
  pool.apply([] {});
  std::ofstream(wider) << 128 * MiB;
  try {
    pool.apply(grow_for_ever);
    ADD_FAILURE() << "it came back";
  } catch (const MemoryLimitExceeded& wrong) {
    ADD_FAILURE() << wrong.what();
  } catch (const WorkerCrashed& right) {
    EXPECT_THAT(right.what(), HasSubstr("by the kernel, out of memory, though within its own"));
  }
  std::ofstream(wider) << "max";
}

TEST_P(MemoryGroup, of_the_program_tells_whom_the_kernel_killed_in_it) {
  const std::string whole = *os::memory_base() + "/memory.max";
  if (!std::filesystem::exists(whole)) GTEST_SKIP() << "the root group has no limit";
  Pool pool(options(1));
  // After this the supervisor knows the kernel's counts, for it has started another.
  EXPECT_THROW(pool.apply([] { ::raise(SIGKILL); }), WorkerCrashed);
  pool.apply([] {});
  std::ofstream(whole) << 128 * MiB;
  try {
    pool.apply(grow_for_ever);
    ADD_FAILURE() << "it came back";
  } catch (const WorkerCrashed& crash) {
    EXPECT_THAT(crash.what(), HasSubstr("SIGKILL), by the kernel, out of memory, as the count"));
  }
  std::ofstream(whole) << "max";
}

TEST_P(MemoryGroup, goes_with_its_worker_and_with_its_pool) {
  {
    Pool pool(limited(2));
    EXPECT_EQ(groups_of_workers().size(), 2U);
    EXPECT_THROW(pool.apply([] { ::raise(SIGKILL); }), WorkerCrashed);
    EXPECT_THROW(pool.apply(grow_for_ever), MemoryLimitExceeded);
    EXPECT_TRUE(Watchdog().sees([] { return groups_of_workers().size() == 2; }));
  }
  EXPECT_THAT(groups_of_pools(), ::testing::IsEmpty());
}

TEST_P(MemoryGroup, keeps_no_process_that_a_task_has_left) {
  {
    Pool pool(limited());
    pool.apply([] {
      if (::fork() != 0) return;
      ::setsid();
      for (;;) ::pause();
    });
  }
  EXPECT_THAT(groups_of_pools(), ::testing::IsEmpty());
}

// This program, as `victim` in main.
class VictimOfMemory : public MemoryGroup {
 protected:
  void SetUp() override {
    MemoryGroup::SetUp();
    if (IsSkipped()) return;
    victim_.emplace(
        std::vector<std::string>{"/proc/self/exe", "--victim", name_of({GetParam(), 0})});
  }
  std::optional<Program> victim_;
};
INSTANTIATE_TEST_SUITE_P(contexts, VictimOfMemory, every_process, name_of);

TEST_P(VictimOfMemory, leaves_no_group_when_it_is_killed) {
  ASSERT_TRUE(victim_->says("ready")) << victim_->output();
  EXPECT_EQ(groups_of_workers().size(), 2U);
  victim_->send(SIGKILL);
  EXPECT_EQ(victim_->leftovers(), "");
  EXPECT_THAT(groups_of_pools(), ::testing::IsEmpty());
}

TEST_P(VictimOfMemory, leaves_what_the_next_pool_removes_when_all_its_processes_are_killed) {
  ASSERT_TRUE(victim_->says("ready")) << victim_->output();
  const auto is_broom = [](const ProcessSight& sight) { return sight.name == "brood-broom"; };
  ASSERT_TRUE(victim_->has(1, is_broom));
  for (const ProcessSight& sight : victim_->family()) {
    if (is_broom(sight)) ::kill(sight.pid, SIGKILL);
  }
  victim_->send(SIGKILL);
  EXPECT_EQ(victim_->leftovers(), "");
  EXPECT_EQ(groups_of_pools().size(), 1U);
  Pool next(limited());
  EXPECT_EQ(groups_of_workers().size(), 1U);
}

[[noreturn]] void be_a_victim(const std::string& context) {
  PoolOptions options{.processes = 2, .memory_limit = limit};
  if (context == "fork") options.context = Context::fork;
  if (context == "spawn") options.context = Context::spawn;
  Pool pool(options);
  pool.apply([] {});
  std::cout << "ready" << std::endl;
  for (;;) ::pause();
}

// A delegated group as a service manager makes it: the mark on one that has no process,
// and the program in one below. Empty where this process may not make one.
std::string make_delegated_group() {
  const auto own = os::own_group();
  if (!own) return {};
  std::ofstream(*own + "/cgroup.subtree_control") << "+memory" << std::flush;
  std::string made = *own + "/test-brood-" + std::to_string(::getpid());
  std::error_code refusal;
  if (!std::filesystem::create_directory(made, refusal)) return {};
  const bool is_marked = std::filesystem::exists(made + "/memory.max") &&
                         std::filesystem::create_directory(made + "/program", refusal) &&
                         ::setxattr(made.c_str(), "user.delegate", "1", 1, 0) == 0;
  if (is_marked) return made;
  std::filesystem::remove(made + "/program", refusal);
  std::filesystem::remove(made, refusal);
  return {};
}

// Runs the tests in a child, which has no nursery that a victim's family would seem to
// be larger by; in the group, if there's one, which is removed after it.
int run_in(const std::string& group) {
  const int child = ::fork();
  if (child == 0) {
    if (!group.empty()) std::ofstream(group + "/program/cgroup.procs") << "0" << std::flush;
    ::_exit(RUN_ALL_TESTS());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (group.empty()) return exitcode_of(status);
  // Its nursery ends a moment after it.
  const bool is_removed = Watchdog().sees([&group] {
    std::error_code refusal;
    std::filesystem::remove(group + "/program", refusal);
    return std::filesystem::remove(group, refusal);
  });
  if (!is_removed) std::cerr << "cannot remove " << group << ": somebody is left in it\n";
  return is_removed ? exitcode_of(status) : 1;
}

}  // namespace
}  // namespace brood::testing

int main(int argc, char** argv) {
  using namespace brood::testing;
  brood::init(argc, argv);
  if (argc == 3 && argv[1] == std::string("--victim")) be_a_victim(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  if (GTEST_FLAG_GET(list_tests)) return RUN_ALL_TESTS();
  return run_in(brood::os::memory_base() ? std::string() : make_delegated_group());
}
