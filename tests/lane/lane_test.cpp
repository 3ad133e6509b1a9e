// SPDX-License-Identifier: MIT
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lane/bytes.hpp"
#include "lane/parent_end.hpp"
#include "lane/worker_end.hpp"
#include "os/child_setup.hpp"
#include "os/clone.hpp"
#include "os/poller.hpp"
#include "os/thread_list.hpp"

namespace brood::lane {
namespace {

constexpr Geometry small{4, 4096};

// Both ends over one mapping, driven step by step.
class LaneTest : public testing::Test {
 protected:
  Parcel parcel(const std::vector<std::byte>& callable, std::uint32_t count = 1) {
    Parcel made;
    made.callable = callable;
    made.count = count;
    return made;
  }

  // What a worker does with a task whose values are `value`, once an item.
  void answer(const Claim& claim, const std::string& value) {
    AnswerWriter out(claim.answer_area);
    for (std::uint32_t i = 0; i < claim.slot->count; ++i) {
      claim.slot->begun.store(i + 1);
      out.write(value.data(), value.size());
      claim.slot->answer_end.store(out.size());
      claim.slot->ended.store(i + 1);
    }
  }

  // An answer that says that so much was sent, where nothing was.
  void expect_impossible_without(std::uint32_t sent) {
    const auto request = bytes_of("x");
    ASSERT_TRUE(parent.give(parcel(request)));
    const auto claim = worker.take();
    claim->slot->begun.store(1);
    claim->slot->trailer = Trailer::value;
    claim->slot->trailer_size = 10;
    claim->slot->trailer_outside = sent;
    ASSERT_TRUE(worker.finish(*claim));
    EXPECT_TRUE(parent.take()->impossible);
  }

  os::Bell bell;
  ParentEnd parent{small};
  WorkerEnd worker{parent.data(), parent.worker_channel(), bell.fd()};
};

TEST_F(LaneTest, lets_whoever_sees_a_task_end_take_its_time) {
  const auto request = bytes_of("x");
  for (const bool guarded : {false, true}) {
    Parcel seen = parcel(request);
    seen.seen = true;
    seen.guarded = guarded;
    ASSERT_TRUE(parent.give(seen));
    const auto claim = worker.take();
    EXPECT_EQ((claim->slot->flags & seen_flag) != 0, !guarded);
    answer(*claim, "y");
    claim->slot->item_since.store(17);
    ASSERT_TRUE(worker.finish(*claim));
    const auto there = parent.take();
    EXPECT_EQ(there->began, 17);
    parent.release(*there);
  }
}

TEST_F(LaneTest, carries_a_request_there_and_an_answer_back) {
  const auto request = bytes_of("hello");
  ASSERT_TRUE(parent.give(parcel(request)));
  EXPECT_FALSE(parent.take());
  const auto claim = worker.take();
  ASSERT_TRUE(claim);
  EXPECT_EQ(text_of(claim->callable), "hello");
  answer(*claim, "bye");
  EXPECT_TRUE(worker.finish(*claim));
  const auto back = parent.take();
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->done);
  EXPECT_EQ(back->ended, 1u);
  EXPECT_EQ(text_of(back->values), "bye");
  parent.release(*back);
  EXPECT_EQ(parent.outstanding(), 0u);
}

TEST_F(LaneTest, is_full_when_every_slot_is_taken) {
  const auto request = bytes_of("x");
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(parent.give(parcel(request)));
  EXPECT_FALSE(parent.give(parcel(request)));
}

TEST_F(LaneTest, goes_round_its_slots_and_its_arena_many_times) {
  for (int round = 0; round < 1000; ++round) {
    const auto request = bytes_of(std::string(static_cast<std::size_t>(round % 900), 'r'));
    ASSERT_TRUE(parent.give(parcel(request)));
    const auto claim = worker.take();
    ASSERT_EQ(text_of(claim->callable), text_of(request));
    answer(*claim, std::to_string(round));
    ASSERT_TRUE(worker.finish(*claim));
    const auto back = parent.take();
    ASSERT_EQ(text_of(back->values), std::to_string(round));
    parent.release(*back);
  }
}

TEST_F(LaneTest, sends_a_request_that_exceeds_the_arena_in_memory_of_its_own) {
  const auto request = bytes_of(std::string(100'000, 'q'));
  ASSERT_TRUE(parent.give(parcel(request)));
  const auto claim = worker.take();
  ASSERT_TRUE(claim);
  EXPECT_EQ(text_of(claim->callable), text_of(request));
}

TEST_F(LaneTest, gives_a_withdrawn_task_to_nobody) {
  const auto first = bytes_of("first");
  const auto second = bytes_of("second");
  const auto position = parent.give(parcel(first));
  ASSERT_TRUE(parent.give(parcel(second)));
  EXPECT_TRUE(parent.revoke(*position));
  EXPECT_FALSE(parent.revoke(*position));
  const auto claim = worker.take();
  EXPECT_EQ(text_of(claim->callable), "second");
  const auto passed = parent.take();
  ASSERT_TRUE(passed);
  EXPECT_FALSE(passed->done);
  EXPECT_EQ(passed->begun, 0u);
}

TEST_F(LaneTest, does_not_use_a_withdrawn_slot_before_its_worker_has_passed_it) {
  const auto request = bytes_of("x");
  const auto position = parent.give(parcel(request));
  ASSERT_TRUE(parent.revoke(*position));
  EXPECT_FALSE(parent.take());
}

TEST_F(LaneTest, cannot_withdraw_what_is_claimed_nor_condemn_what_is_done) {
  const auto request = bytes_of("x");
  const auto position = parent.give(parcel(request));
  EXPECT_FALSE(parent.condemn(*position));
  const auto claim = worker.take();
  EXPECT_FALSE(parent.revoke(*position));
  answer(*claim, "");
  ASSERT_TRUE(worker.finish(*claim));
  EXPECT_FALSE(parent.condemn(*position));
}

TEST_F(LaneTest, tells_a_worker_that_its_task_was_condemned) {
  const auto request = bytes_of("x");
  const auto position = parent.give(parcel(request));
  const auto claim = worker.take();
  EXPECT_TRUE(parent.condemn(*position));
  EXPECT_TRUE(worker.is_condemned(*claim));
  EXPECT_FALSE(worker.finish(*claim));
}

TEST_F(LaneTest, carries_an_exception_behind_the_values) {
  const auto request = bytes_of("x");
  ASSERT_TRUE(parent.give(parcel(request, 3)));
  const auto claim = worker.take();
  claim->slot->begun.store(2);
  std::memcpy(claim->answer_area.data(), "one", 3);
  claim->slot->answer_end.store(3);
  claim->slot->ended.store(1);
  worker.add_trailer(*claim, Trailer::exception, bytes_of("oops"), 3);
  ASSERT_TRUE(worker.finish(*claim));
  const auto back = parent.take();
  EXPECT_EQ(back->ended, 1u);
  EXPECT_EQ(text_of(back->values), "one");
  EXPECT_EQ(back->trailer, Trailer::exception);
  EXPECT_EQ(text_of(back->trailer_bytes), "oops");
}

TEST_F(LaneTest, carries_a_value_that_does_not_fit_in_memory_of_its_own) {
  const auto request = bytes_of("x");
  ASSERT_TRUE(parent.give(parcel(request)));
  const auto claim = worker.take();
  claim->slot->begun.store(1);
  const std::string large(1'000'000, 'v');
  AnswerWriter out(claim->answer_area);
  out.write(large.data(), 10);
  out.write(large.data() + 10, large.size() - 10);
  ASSERT_TRUE(*out.overflowed());
  worker.add_value_apart(*claim, out);
  ASSERT_TRUE(worker.finish(*claim));
  const auto back = parent.take();
  EXPECT_EQ(text_of(back->trailer_bytes), large);
}

// A worker that dies with requests unread has its channel reset.
TEST_F(LaneTest, gives_out_a_large_value_whose_worker_died_before_its_next_request) {
  const auto request = bytes_of(std::string(100'000, 'r'));
  ASSERT_TRUE(parent.give(parcel(request)));
  ASSERT_TRUE(parent.give(parcel(request)));
  const auto claim = worker.take();
  claim->slot->begun.store(1);
  worker.add_trailer(*claim, Trailer::value, request, 0);
  ASSERT_TRUE(worker.finish(*claim));
  parent.worker_has_them();
  const auto back = parent.take();
  EXPECT_FALSE(back->impossible);
  EXPECT_EQ(text_of(back->trailer_bytes), text_of(request));
}

TEST_F(LaneTest, calls_an_answer_impossible_that_claims_more_than_its_room) {
  const auto request = bytes_of("x");
  ASSERT_TRUE(parent.give(parcel(request)));
  const auto claim = worker.take();
  claim->slot->begun.store(1);
  claim->slot->ended.store(1);
  claim->slot->answer_end.store(1 << 30);
  ASSERT_TRUE(worker.finish(*claim));
  EXPECT_TRUE(parent.take()->impossible);
}

TEST_F(LaneTest, calls_an_answer_impossible_whose_memory_never_came) {
  expect_impossible_without(bytes_outside);
}

TEST_F(LaneTest, carries_memory_that_a_value_refers_to) {
  const auto request = bytes_of("x");
  ASSERT_TRUE(parent.give(parcel(request)));
  const auto claim = worker.take();
  claim->slot->begun.store(1);
  const auto content = bytes_of(std::string(5000, 'c'));
  AnswerWriter out(claim->answer_area);
  {
    const auto memory = std::make_shared<os::UniqueFd>(os::make_growing_memory("test"));
    os::write_memory(memory->get(), 0, content);
    os::seal_for_good(memory->get());
    EXPECT_EQ(out.enclose(memory->get(), memory), 0u);
  }
  out.write("value", 5);
  EXPECT_FALSE(*out.overflowed());
  ASSERT_TRUE(*out.goes_apart());
  worker.add_value_apart(*claim, out);
  ASSERT_TRUE(worker.finish(*claim));
  const auto back = parent.take();
  EXPECT_EQ(text_of(back->trailer_bytes), "value");
  ASSERT_EQ(back->enclosed.size(), 1u);
  const auto sealed = std::static_pointer_cast<os::SealedMemory>(back->enclosed[0]);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(text_of(sealed->mapping.bytes()), text_of(content));
  EXPECT_TRUE(sealed->memory);
}

TEST_F(LaneTest, takes_no_memory_along_that_others_could_change_or_its_sender_cut_short) {
  const auto request = bytes_of("x");
  ASSERT_TRUE(parent.give(parcel(request)));
  const auto claim = worker.take();
  claim->slot->begun.store(1);
  const os::UniqueFd bare = os::make_growing_memory("test");
  os::resize_memory(bare.get(), 5000);
  const os::UniqueFd of_fixed_size = os::make_memory("test", 5000);
  AnswerWriter out(claim->answer_area);
  for (const int memory : {bare.get(), of_fixed_size.get(), bell.fd()}) {
    EXPECT_TRUE(out.enclose(memory, nullptr));
  }
  out.write("value", 5);
  worker.add_value_apart(*claim, out);
  ASSERT_TRUE(worker.finish(*claim));
  const auto back = parent.take();
  EXPECT_FALSE(back->impossible);
  EXPECT_EQ(back->enclosed, wire::Enclosed(3));
}

// Its sender may change it: it's lent, and goes back by the number that it came with.
TEST_F(LaneTest, gives_lent_memory_back_once_for_each_number_that_finds_room) {
  const auto request = bytes_of("x");
  ASSERT_TRUE(parent.give(parcel(request)));
  const auto claim = worker.take();
  claim->slot->begun.store(1);
  const os::UniqueFd mapped = os::make_growing_memory("test");
  os::resize_memory(mapped.get(), 5000);
  const os::Mapping still_written = os::map_shared(mapped.get(), 5000);
  os::seal_contents(mapped.get());
  AnswerWriter out(claim->answer_area);
  EXPECT_TRUE(out.enclose(mapped.get(), nullptr));
  out.write("value", 5);
  worker.add_value_apart(*claim, out);
  ASSERT_TRUE(worker.finish(*claim));
  const auto back = parent.take();
  ASSERT_EQ(back->enclosed.size(), 1u);
  const auto lent = std::static_pointer_cast<os::SealedMemory>(back->enclosed[0]);
  ASSERT_TRUE(lent && lent->loan.lender);
  const auto words = worker.returned_loans();
  // A task may have written there: what finds no room is not given back, and nobody waits.
  for (auto& word : words) word.store(9);
  const auto lender = lent->loan.lender;
  lender->take_back(std::move(*lent), 7);
  for (auto& word : words) EXPECT_EQ(word.load(), 9u);
  words.back().store(0);
  lender->take_back({}, 7);
  EXPECT_EQ(words.back().load(), 7u);
}

TEST_F(LaneTest, calls_an_answer_impossible_whose_enclosed_memory_never_came) {
  expect_impossible_without(memory_enclosed);
}

TEST_F(LaneTest, survives_a_worker_that_scribbles_over_all_of_it) {
  const auto request = bytes_of("x");
  for (unsigned seed = 1; seed < 200; ++seed) {
    ParentEnd fresh(small);
    ASSERT_TRUE(fresh.give(parcel(request, 3)));
    ASSERT_TRUE(fresh.give(parcel(request, 3)));
    for (std::size_t i = 0; i < small.size(); ++i) {
      seed = seed * 1'103'515'245u + 12'345u;
      fresh.data()[i] = static_cast<std::byte>(seed >> 16);
    }
    seed %= 1000;
    for (int i = 0; i < 2; ++i) {
      const auto answer = fresh.take_dead();
      ASSERT_TRUE(answer);
      EXPECT_LE(answer->ended, 3u);
      fresh.release(*answer);
    }
  }
}

TEST_F(LaneTest, rings_the_bell_when_a_task_that_carries_it_is_done) {
  const auto request = bytes_of("x");
  auto loud = parcel(request);
  loud.bell = true;
  ASSERT_TRUE(parent.give(loud));
  os::Poller poller;
  poller.watch(bell.fd(), 7);
  const auto claim = worker.take();
  answer(*claim, "");
  ASSERT_TRUE(worker.finish(*claim));
  EXPECT_EQ(poller.wait(), std::vector<std::uint64_t>{7});
}

TEST_F(LaneTest, has_a_guarded_item_condemned_only_while_the_worker_is_at_it) {
  const auto request = bytes_of("x");
  auto guarded = parcel(request, 2);
  guarded.guarded = true;
  const auto position = parent.give(guarded);
  const auto claim = worker.take();
  EXPECT_FALSE(parent.running_item(*position));
  claim->slot->item_since.store(5);
  claim->slot->begun.store(1);
  ASSERT_TRUE(parent.running_item(*position));
  EXPECT_EQ(parent.running_item(*position)->begun, 1u);
  claim->slot->begun.store(2);
  EXPECT_FALSE(parent.condemn_item(*position, 1));
  EXPECT_TRUE(parent.condemn_item(*position, 2));
  EXPECT_TRUE(worker.is_condemned(*claim));
}

TEST_F(LaneTest, closes_an_idle_worker) {
  parent.close();
  EXPECT_FALSE(worker.take());
}

TEST_F(LaneTest, tells_how_far_a_killed_worker_had_come) {
  const auto request = bytes_of("x");
  ASSERT_TRUE(parent.give(parcel(request, 3)));
  ASSERT_TRUE(parent.give(parcel(request, 1)));
  os::CloneResult clone = os::clone_process(os::Parent::caller);
  if (clone.side == os::Side::child) {
    // The program's own mapping is not in its copies.
    const os::Mapping lane = os::map_shared(parent.memory(), small.size());
    WorkerEnd mine(lane.data(), parent.worker_channel(), bell.fd());
    const auto claim = mine.take();
    claim->slot->begun.store(1);
    std::memcpy(claim->answer_area.data(), "first", 5);
    claim->slot->answer_end.store(5);
    claim->slot->ended.store(1);
    claim->slot->begun.store(2);
    os::send_signal(os::open_pidfd(os::current_process_id()).get(), os::kill_signal);
    os::sleep_until_killed();
  }
  ASSERT_TRUE(os::wait_for_end(clone.child.pidfd.get(), Deadline()));
  EXPECT_EQ(os::reap(clone.child)->as_exitcode(), -9);
  const auto torn = parent.take_dead();
  EXPECT_FALSE(torn->done);
  EXPECT_EQ(torn->begun, 2u);
  EXPECT_EQ(torn->ended, 1u);
  EXPECT_EQ(text_of(torn->values), "first");
  parent.release(*torn);
  const auto untouched = parent.take_dead();
  EXPECT_EQ(untouched->begun, 0u);
  EXPECT_FALSE(untouched->claimed);
}

}  // namespace
}  // namespace brood::lane
