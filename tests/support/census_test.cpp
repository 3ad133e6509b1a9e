// SPDX-License-Identifier: MIT
#include "support/census.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// That a census tells what is left behind.
namespace brood::testing {
namespace {

using ::testing::HasSubstr;

TEST(census, finds_nothing_where_nothing_was_left) {
  const Census before = Census::take();
  EXPECT_EQ(left_since(before), "");
}

TEST(census, finds_a_descriptor) {
  const Census before = Census::take();
  const int open = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_THAT(Census::take().more_than(before), HasSubstr("descriptor of /dev/null: "));
  ::close(open);
  EXPECT_EQ(Census::take().more_than(before), "");
}

TEST(census, finds_a_mapping_whose_descriptor_is_closed) {
  const Census before = Census::take();
  const int memory = ::memfd_create("left-behind", MFD_CLOEXEC);
  ASSERT_EQ(::ftruncate(memory, 4096), 0);
  void* const mapped = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, memory, 0);
  ::close(memory);
  EXPECT_THAT(Census::take().more_than(before), HasSubstr("mapping of /memfd:left-behind"));
  ::munmap(mapped, 4096);
  EXPECT_EQ(Census::take().more_than(before), "");
}

TEST(census, finds_a_child_a_grandchild_and_a_zombie) {
  const Census before = Census::take();
  const int child = ::fork();
  if (child == 0) {
    ::fork();
    for (;;) ::pause();
  }
  const auto has = [&](std::size_t count) {
    return Watchdog().sees([&] { return descendants_of(::getpid()).size() == count; });
  };
  EXPECT_TRUE(has(2));
  EXPECT_THAT(Census::take().more_than(before), HasSubstr("process " + std::to_string(child)));
  for (const ProcessSight& sight : descendants_of(::getpid())) ::kill(sight.pid, SIGKILL);
  EXPECT_TRUE(Watchdog().sees(
      [&] { return Census::take().more_than(before).find("a zombie") != std::string::npos; }));
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(left_since(before), "");
}

}  // namespace
}  // namespace brood::testing
