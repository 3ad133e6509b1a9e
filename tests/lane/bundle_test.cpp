// SPDX-License-Identifier: MIT
//
// Calls that share a slot, by both ends of a lane: step by step, and as two threads.
#include <array>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lane/bytes.hpp"
#include "lane/parent_end.hpp"
#include "lane/worker_end.hpp"
#include "os/poller.hpp"

namespace brood::lane {
namespace {

constexpr Geometry small{4, 4096};

// As a worker begins a call: false when the parent has it back.
bool begin_call(const Claim& claim, std::uint64_t i) {
  return claim.slot->begun.compare_exchange_strong(i, i + 1);
}

// Answers with its own request.
void end_call(const Claim& claim, AnswerWriter& out, std::size_t i, std::size_t at) {
  const BundledCall& call = claim.bundle[i];
  out.write(claim.callable.data() + at, call.size);
  claim.slot->answer_end.store(out.size(), std::memory_order_relaxed);
  claim.bundle[i].value_end = static_cast<std::uint32_t>(out.size());
  claim.slot->ended.store(i + 1, std::memory_order_release);
}

// All of it, as far as it may. How many.
std::size_t echo(const Claim& claim) {
  AnswerWriter out(claim.answer_area);
  std::size_t at = 0;
  for (std::size_t i = 0; i < claim.bundle.size(); ++i) {
    if (!begin_call(claim, i)) return i;
    end_call(claim, out, i, at);
    at += rounded_up(claim.bundle[i].size, 16);
  }
  return claim.bundle.size();
}

class BundleTest : public testing::Test {
 protected:
  std::uint64_t give(const std::vector<std::string>& texts) {
    std::vector<std::vector<std::byte>> bytes;
    for (const auto& text : texts) bytes.push_back(bytes_of(text));
    std::vector<BundledRequest> calls;
    for (std::size_t i = 0; i < bytes.size(); ++i) calls.push_back({100 + i, bytes[i]});
    return *parent.give_bundle({}, calls);
  }
  static std::string value(const Answer& answer, std::size_t i) {
    const std::size_t begin = i == 0 ? 0 : answer.value_ends[i - 1];
    return text_of(answer.values.subspan(begin, answer.value_ends[i] - begin));
  }

  os::Bell bell;
  ParentEnd parent{small};
  WorkerEnd worker{parent.data(), parent.worker_channel(), bell.fd()};
};

TEST_F(BundleTest, carries_many_calls_there_and_their_values_back) {
  for (int round = 0; round < 10; ++round) {
    give({"one", "", "a text of more than sixteen bytes"});
    const auto claim = worker.take();
    ASSERT_TRUE(claim);
    ASSERT_EQ(claim->bundle.size(), 3u);
    EXPECT_EQ(claim->bundle[2].job, 102u);
    EXPECT_EQ(echo(*claim), 3u);
    ASSERT_TRUE(worker.finish(*claim));
    const auto back = parent.take();
    ASSERT_TRUE(back && back->done);
    EXPECT_FALSE(back->impossible);
    ASSERT_EQ(back->ended, 3u);
    EXPECT_EQ(value(*back, 0), "one");
    EXPECT_EQ(value(*back, 1), "");
    EXPECT_EQ(value(*back, 2), "a text of more than sixteen bytes");
    parent.release(*back);
  }
}

TEST_F(BundleTest, fills_a_slot_to_its_last_byte) {
  const std::string text((inline_size - most_bundled * bundled_size(0, 0)) / most_bundled / 32 * 16,
                         'x');
  ASSERT_LE(most_bundled * bundled_size(text.size(), text.size()), inline_size);
  give(std::vector<std::string>(most_bundled, text));
  const auto claim = worker.take();
  EXPECT_EQ(echo(*claim), most_bundled);
  ASSERT_TRUE(worker.finish(*claim));
  const auto back = parent.take();
  ASSERT_EQ(back->ended, most_bundled);
  for (std::size_t i = 0; i < most_bundled; ++i) EXPECT_EQ(value(*back, i), text);
}

TEST_F(BundleTest, cut_leaves_the_worker_what_it_has_begun) {
  const auto position = give({"a", "b", "c"});
  EXPECT_FALSE(parent.cut(position)) << "it's queued: to be revoked";
  const auto claim = worker.take();
  AnswerWriter out(claim->answer_area);
  ASSERT_TRUE(begin_call(*claim, 0));
  end_call(*claim, out, 0, 0);
  ASSERT_TRUE(begin_call(*claim, 1));
  EXPECT_EQ(parent.begun(position), 2u);

  EXPECT_EQ(parent.cut(position), 2u);
  EXPECT_EQ(parent.cut(position), 2u) << "once more changes nothing";
  const Answer so_far = parent.peek_bundle(position);
  EXPECT_FALSE(so_far.impossible);
  ASSERT_EQ(so_far.ended, 1u);
  EXPECT_EQ(value(so_far, 0), "a");

  end_call(*claim, out, 1, 16);
  EXPECT_FALSE(begin_call(*claim, 2));
  worker.add_trailer(*claim, Trailer::rest, {}, out.size());
  ASSERT_TRUE(worker.finish(*claim));
  EXPECT_FALSE(parent.cut(position)) << "it's done";
  const auto back = parent.take();
  EXPECT_FALSE(back->impossible);
  ASSERT_EQ(back->ended, 2u);
  EXPECT_EQ(value(*back, 1), "b");
}

TEST_F(BundleTest, cut_before_the_first_call_leaves_nothing) {
  const auto position = give({"a", "b"});
  const auto claim = worker.take();
  EXPECT_EQ(parent.cut(position), 0u);
  EXPECT_EQ(echo(*claim), 0u);
  worker.add_trailer(*claim, Trailer::rest, {}, 0);
  ASSERT_TRUE(worker.finish(*claim));
  const auto back = parent.take();
  EXPECT_FALSE(back->impossible);
  EXPECT_EQ(back->ended, 0u);
}

TEST_F(BundleTest, tells_of_a_dead_worker_what_it_had_ended) {
  const auto position = give({"a", "b", "c"});
  const auto claim = worker.take();
  AnswerWriter out(claim->answer_area);
  ASSERT_TRUE(begin_call(*claim, 0));
  end_call(*claim, out, 0, 0);
  ASSERT_TRUE(begin_call(*claim, 1));
  claim->bundle[1].value_end = 77;  // and there it died
  const auto dead = parent.take_dead();
  ASSERT_TRUE(dead);
  EXPECT_FALSE(dead->impossible);
  EXPECT_EQ(dead->begun, 2u);
  ASSERT_EQ(dead->ended, 1u);
  EXPECT_EQ(value(*dead, 0), "a");
  parent.abandon(position);
}

// What no honest worker writes.
class ScribbledBundleTest : public BundleTest {
 protected:
  void expect_impossible(std::uint32_t first, std::uint32_t second) {
    give({"aa", "bb"});
    const auto claim = worker.take();
    ASSERT_EQ(echo(*claim), 2u);
    claim->bundle[0].value_end = first;
    claim->bundle[1].value_end = second;
    ASSERT_TRUE(worker.finish(*claim));
    EXPECT_TRUE(parent.take()->impossible);
  }
};

TEST_F(ScribbledBundleTest, a_value_that_ends_behind_all_is_impossible) { expect_impossible(2, 5); }
TEST_F(ScribbledBundleTest, a_value_that_ends_before_it_begins_is_impossible) {
  expect_impossible(3, 2);
}
TEST_F(ScribbledBundleTest, more_calls_begun_than_given_can_not_be_cut) {
  const auto position = give({"a", "b"});
  const auto claim = worker.take();
  claim->slot->begun.store(3);
  EXPECT_FALSE(parent.cut(position));
  EXPECT_TRUE(parent.is_scribbled());
}
TEST_F(ScribbledBundleTest, giving_back_what_was_not_cut_is_impossible) {
  give({"a", "b"});
  const auto claim = worker.take();
  worker.add_trailer(*claim, Trailer::rest, {}, 0);
  ASSERT_TRUE(worker.finish(*claim));
  EXPECT_TRUE(parent.take()->impossible);
}

// Each call is run by the worker or has come back, never both: under ThreadSanitizer too.
TEST_F(BundleTest, shares_its_calls_with_a_parent_that_cuts) {
  constexpr int rounds = 20'000;
  std::atomic<int> run{0};
  std::thread other_side([&] {
    while (const auto claim = worker.take()) {
      const std::size_t ended = echo(*claim);
      run += static_cast<int>(ended);
      if (ended != claim->bundle.size()) {
        worker.add_trailer(*claim, Trailer::rest, {}, claim->slot->answer_end.load());
      }
      worker.finish(*claim);
    }
  });
  int taken_back = 0;
  int answered = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto position = give({"a", "b", "c", "d"});
    parent.wake();
    if (round % 2 == 0) {
      while (!parent.is_claimed(position) && !parent.is_done(position)) {
      }
      if (const auto kept = parent.cut(position)) {
        taken_back += 4 - static_cast<int>(*kept);
        EXPECT_LE(parent.peek_bundle(position).ended, *kept);
      }
    }
    std::optional<Answer> back;
    while (!back) back = parent.take();
    ASSERT_FALSE(back->impossible);
    answered += static_cast<int>(back->ended);
    for (std::size_t i = 0; i < back->ended; ++i) {
      ASSERT_EQ(value(*back, i), std::string(1, static_cast<char>('a' + i)));
    }
    parent.release(*back);
  }
  parent.close();
  other_side.join();
  EXPECT_EQ(run.load() + taken_back, 4 * rounds);
  EXPECT_EQ(run.load(), answered);
}

}  // namespace
}  // namespace brood::lane
