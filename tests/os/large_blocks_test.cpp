// SPDX-License-Identifier: MIT
#include "os/large_blocks.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "os/memory.hpp"

namespace brood::os {
namespace {

using base::give_back_large_block;
using base::LargeBlock;
using base::take_large_block;

constexpr std::size_t megabyte = std::size_t{1} << 20;

class LargeBlocks : public testing::Test {
 protected:
  ~LargeBlocks() override { forget_large_blocks(); }

  // As a message that a worker reads, all of it.
  static void use_up(const LargeBlock& block) {
    {
      const HeldBlock read(block.begin, block.size);
    }
    EXPECT_TRUE(give_back_large_block(block.begin));
  }
};

TEST_F(LargeBlocks, can_be_read_by_who_is_given_the_descriptor_and_not_written) {
  const LargeBlock block = take_large_block(megabyte + 1);
  ASSERT_TRUE(block.begin);
  EXPECT_GE(block.size, megabyte + 1);
  std::fill_n(block.begin, block.size, std::byte{'x'});
  {
    const HeldBlock held(block.begin, block.size);
    ASSERT_TRUE(held);
    const Mapping seen = map_read_only(held.descriptor(), block.size);
    EXPECT_EQ(seen.bytes()[megabyte], std::byte{'x'});
    EXPECT_TRUE(is_sealed_against_shrinking(held.descriptor()));
    EXPECT_THROW(map_shared(held.descriptor(), block.size), std::exception);
  }
  EXPECT_TRUE(give_back_large_block(block.begin));
}

TEST_F(LargeBlocks, serve_one_message_after_another_of_about_that_size) {
  const LargeBlock first = take_large_block(4 * megabyte);
  use_up(first);
  const LargeBlock second = take_large_block(megabyte);
  EXPECT_EQ(second.begin, first.begin);
  use_up(second);
  const LargeBlock larger = take_large_block(4 * megabyte + 1);
  EXPECT_NE(larger.begin, first.begin);
  const LargeBlock far_smaller = take_large_block(megabyte / 4);
  EXPECT_NE(far_smaller.begin, first.begin);
  use_up(larger);
  use_up(far_smaller);
}

TEST_F(LargeBlocks, are_nobody_else_s_while_they_are_read) {
  const LargeBlock first = take_large_block(megabyte);
  {
    const HeldBlock read(first.begin, first.size);
    EXPECT_TRUE(give_back_large_block(first.begin));  // its job was cancelled
    const LargeBlock second = take_large_block(megabyte);
    EXPECT_NE(second.begin, first.begin);
    use_up(second);
  }
  forget_large_blocks();
}

TEST_F(LargeBlocks, that_no_worker_has_read_are_not_kept) {
  const LargeBlock block = take_large_block(megabyte);
  EXPECT_TRUE(give_back_large_block(block.begin));
  EXPECT_FALSE(HeldBlock(block.begin, 1));
  EXPECT_FALSE(give_back_large_block(block.begin));
}

TEST_F(LargeBlocks, are_forgotten_when_they_come_back) {
  const LargeBlock block = take_large_block(megabyte);
  {
    const HeldBlock read(block.begin, block.size);
  }
  forget_large_blocks();
  std::fill_n(block.begin, block.size, std::byte{'y'});
  EXPECT_TRUE(give_back_large_block(block.begin));
  EXPECT_FALSE(HeldBlock(block.begin, 1));
}

TEST_F(LargeBlocks, are_few) {
  std::vector<LargeBlock> taken;
  for (;;) {
    const LargeBlock next = take_large_block(megabyte);
    if (!next.begin) break;
    taken.push_back(next);
    ASSERT_LE(taken.size(), 16u);
  }
  EXPECT_EQ(taken.size(), 16u);
  use_up(taken.back());
  taken.pop_back();
  // What nobody uses has to go for another size.
  const LargeBlock larger = take_large_block(2 * megabyte);
  ASSERT_TRUE(larger.begin);
  use_up(larger);
  for (const LargeBlock& each : taken) use_up(each);
}

TEST_F(LargeBlocks, are_not_taken_for_what_malloc_gave) {
  void* memory = nullptr;
  ASSERT_EQ(::posix_memalign(&memory, 4096, megabyte), 0);
  EXPECT_FALSE(give_back_large_block(static_cast<std::byte*>(memory)));
  EXPECT_FALSE(HeldBlock(static_cast<std::byte*>(memory), 1));
  EXPECT_FALSE(give_back_large_block(nullptr));
  std::free(memory);
}

TEST_F(LargeBlocks, are_nobody_s_in_a_forked_child) {
  const LargeBlock used = take_large_block(megabyte);
  const LargeBlock unused = take_large_block(megabyte);
  use_up(unused);
  const pid_t child = ::fork();
  if (child == 0) {
    // What is left of its parent's messages may be dropped, and must not be taken for its own.
    const bool is_none = !HeldBlock(used.begin, 1) && !take_large_block(megabyte).begin;
    const bool is_back = give_back_large_block(used.begin);
    const LargeBlock own = take_large_block(megabyte);
    if (own.begin) std::fill_n(own.begin, own.size, std::byte{'z'});
    const bool can_share = HeldBlock(own.begin, own.size) && give_back_large_block(own.begin);
    forget_large_blocks();
    ::_exit(is_none && is_back && can_share ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  std::fill_n(used.begin, used.size, std::byte{'x'});
  use_up(used);
}

TEST_F(LargeBlocks, are_taken_and_given_back_by_any_threads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      for (int round = 0; round < 50; ++round) {
        const LargeBlock block = take_large_block(megabyte / 2);
        if (!block.begin) continue;
        std::fill_n(block.begin, 4096, std::byte(i));
        {
          const HeldBlock read(block.begin, block.size);
          EXPECT_EQ(block.begin[4095], std::byte(i));
          EXPECT_TRUE(give_back_large_block(block.begin));
        }
        if (round % 10 == 0) forget_large_blocks();
      }
    });
  }
  for (std::thread& each : threads) each.join();
}

}  // namespace
}  // namespace brood::os
