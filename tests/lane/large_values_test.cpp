// SPDX-License-Identifier: MIT
//
// The memory of what is too large for a lane, from one task to the next.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lane/bytes.hpp"
#include "lane/parent_end.hpp"
#include "lane/worker_end.hpp"
#include "os/large_blocks.hpp"
#include "os/poller.hpp"

namespace brood::lane {
namespace {

constexpr Geometry small{4, 4096};
constexpr std::size_t large = 100'000;

class LargeValues : public testing::Test {
 protected:
  void give(const std::string& text) {
    const auto request = bytes_of(text);
    Parcel parcel;
    parcel.callable = request;
    ASSERT_TRUE(parent.give(parcel));
  }

  // Takes the next task and answers it. Where the answer lies, as the worker sees it.
  std::byte* work(const std::string& value) {
    const auto claim = worker.take();
    claim->slot->begun.store(1);
    AnswerWriter out(claim->answer_area, worker.answers());
    std::byte* const at = out.reserve(value.size());
    std::copy_n(reinterpret_cast<const std::byte*>(value.data()), value.size(), at);
    EXPECT_TRUE(*out.overflowed());
    worker.add_value_apart(*claim, out);
    EXPECT_TRUE(worker.finish(*claim));
    return at;
  }

  std::string read_request() {
    const std::byte* at = nullptr;
    return read_request(at);
  }
  // And where the worker sees it.
  std::string read_request(const std::byte*& at) {
    const auto claim = worker.take();
    const std::string text = text_of(claim->callable);
    at = claim->callable.data();
    claim->slot->begun.store(1);
    claim->slot->ended.store(1);
    EXPECT_TRUE(worker.finish(*claim));
    return text;
  }

  void take() {
    const auto answer = parent.take();
    ASSERT_TRUE(answer && answer->done);
    parent.release(*answer);
  }
  std::shared_ptr<const std::byte> lasting(const Answer& answer) {
    return answer.is_passing ? parent.lasting_copy(answer) : answer.outside;
  }

  os::Bell bell;
  ParentEnd parent{small};
  WorkerEnd worker{parent.data(), parent.worker_channel(), bell.fd()};
};

TEST_F(LargeValues, of_one_worker_follow_each_other_in_the_same_memory) {
  give("first");
  const std::byte* const first = work(std::string(large, '1'));
  take();
  give("second");
  const std::byte* const second = work(std::string(large, '2'));
  EXPECT_EQ(first, second);
  const auto answer = parent.take();
  EXPECT_EQ(text_of(answer->trailer_bytes), std::string(large, '2'));
}

TEST_F(LargeValues, that_were_not_taken_yet_keep_their_memory) {
  for (int i = 0; i < 4; ++i) give("task");
  for (const char name : {'1', '2', '3', '4'}) work(std::string(large, name));
  for (const char name : {'1', '2', '3', '4'}) {
    const auto answer = parent.take();
    ASSERT_TRUE(answer);
    EXPECT_EQ(text_of(answer->trailer_bytes), std::string(large, name));
    parent.release(*answer);
  }
}

TEST_F(LargeValues, that_were_taken_are_out_of_the_worker_s_reach) {
  give("task");
  std::byte* const at = work(std::string(large, 'v'));
  const auto answer = parent.take();
  std::fill_n(at, large, std::byte{'x'});  // as a worker may that went astray
  EXPECT_EQ(text_of(answer->trailer_bytes), std::string(large, 'v'));
}

// No copy is made of what is read at once.
TEST_F(LargeValues, that_come_in_the_same_memory_are_seen_where_they_lie) {
  for (const char name : {'1', '2', '3', '4', '5', '6'}) {
    give("task");
    std::byte* const at = work(std::string(large, name));
    const auto answer = parent.take();
    EXPECT_EQ(text_of(answer->trailer_bytes), std::string(large, name));
    EXPECT_EQ(answer->is_passing, answer->outside == nullptr);
    if (name > '2') {
      EXPECT_TRUE(answer->is_passing);
    }
    const auto copy = lasting(*answer);
    std::fill_n(at, large, std::byte{'x'});
    EXPECT_EQ(text_of(answer->trailer_bytes), std::string(large, answer->is_passing ? 'x' : name));
    EXPECT_EQ(text_of({copy.get(), large}), std::string(large, name));
    EXPECT_TRUE(parent.release(*answer));
  }
  // And nothing of it is kept after a while.
  EXPECT_TRUE(parent.keeps_memory());
  parent.take_unused_memory();
  EXPECT_FALSE(parent.keeps_memory());
}

// The program's copy of an answer, as long as somebody holds it.
TEST_F(LargeValues, have_copies_that_follow_each_other_in_the_same_memory) {
  const auto next = [&](char name) {
    give("task");
    work(std::string(large, name));
    const auto answer = parent.take();
    EXPECT_EQ(text_of(answer->trailer_bytes), std::string(large, name));
    auto copy = lasting(*answer);
    EXPECT_TRUE(parent.release(*answer));
    return copy;
  };
  auto held = next('1');
  auto other = next('2');
  EXPECT_NE(held, other);
  EXPECT_EQ(text_of({held.get(), large}), std::string(large, '1'));
  const auto* const first = held.get();
  held.reset();
  held = next('3');
  EXPECT_EQ(held.get(), first);
  EXPECT_EQ(text_of({other.get(), large}), std::string(large, '2'));

  // After a while it's given back: what lies there unused at once, the rest when it's read.
  other.reset();
  EXPECT_TRUE(parent.keeps_memory());
  const auto unused = parent.take_unused_memory().copies;
  EXPECT_EQ(std::count(unused.begin(), unused.end(), nullptr), 1);
  held.reset();
  const auto nothing = parent.take_unused_memory().copies;
  EXPECT_EQ(std::count(nothing.begin(), nothing.end(), nullptr), 2);
  EXPECT_FALSE(parent.keeps_memory());
}

TEST_F(LargeValues, have_copies_in_memory_of_their_size) {
  give("large");
  work(std::string(100 * large, '1'));
  auto answer = parent.take();
  parent.release(*answer);
  answer.reset();
  give("small");
  work(std::string(large, '2'));
  answer = parent.take();
  EXPECT_EQ(text_of(answer->trailer_bytes), std::string(large, '2'));
  lasting(*answer);
  parent.release(*answer);
  answer.reset();
  for (const auto& kept : parent.take_unused_memory().copies) {
    EXPECT_TRUE(!kept || kept->size() == large);
  }
}

TEST_F(LargeValues, that_grow_bit_by_bit_are_whole) {
  for (const std::size_t size : {large, 10 * large, large}) {
    give("task");
    const auto claim = worker.take();
    claim->slot->begun.store(1);
    AnswerWriter out(claim->answer_area, worker.answers());
    std::string value;
    for (char next = 0; value.size() < size; ++next) value += std::string(1000, next);
    for (std::size_t i = 0; i < value.size(); i += 1000) out.write(value.data() + i, 1000);
    worker.add_value_apart(*claim, out);
    ASSERT_TRUE(worker.finish(*claim));
    const auto answer = parent.take();
    ASSERT_TRUE(answer);
    EXPECT_TRUE(text_of(answer->trailer_bytes) == value);
    parent.release(*answer);
  }
}

TEST_F(LargeValues, that_are_arguments_have_the_memory_of_those_that_were_used) {
  for (const char name : {'1', '2', '3'}) {
    for (const std::size_t size : {large, large - 1, large / 2, large / 100, 2 * large}) {
      const std::string request(size, name);
      give(request);
      EXPECT_TRUE(read_request() == request);
      take();
    }
  }
  EXPECT_TRUE(parent.keeps_memory());
  parent.take_unused_memory();
  EXPECT_FALSE(parent.keeps_memory());
}

// To find its pages takes as long as a copy.
TEST_F(LargeValues, that_are_arguments_in_the_same_memory_stay_where_the_worker_sees_them) {
  const auto send = [&](char name) {
    const std::byte* at = nullptr;
    give(std::string(large, name));
    EXPECT_TRUE(read_request(at) == std::string(large, name));
    take();
    return at;
  };
  send('1');
  const std::byte* const second = send('2');
  EXPECT_EQ(send('3'), second);
  EXPECT_EQ(send('4'), second);
}

// Its job may be gone before its worker has come to an end.
TEST_F(LargeValues, that_are_arguments_are_read_where_they_were_written) {
  const base::LargeBlock block = base::take_large_block(large);
  std::fill_n(block.begin, large, std::byte{'b'});
  Parcel parcel;
  parcel.callable = {block.begin, large};
  ASSERT_TRUE(parent.give(parcel));
  EXPECT_TRUE(base::give_back_large_block(block.begin));
  const base::LargeBlock next = base::take_large_block(large);
  EXPECT_NE(next.begin, block.begin);
  std::fill_n(next.begin, large, std::byte{'n'});
  EXPECT_TRUE(read_request() == std::string(large, 'b'));
  take();
  const base::LargeBlock last = base::take_large_block(large);
  EXPECT_EQ(last.begin, block.begin);
  EXPECT_TRUE(base::give_back_large_block(next.begin));
  EXPECT_TRUE(base::give_back_large_block(last.begin));
  os::forget_large_blocks();
}

// To its last byte, whatever their number.
TEST_F(LargeValues, that_are_arguments_may_fill_their_memory) {
  const base::LargeBlock block = base::take_large_block(large + 5);
  std::fill_n(block.begin, block.size, std::byte{'b'});
  Parcel parcel;
  parcel.callable = {block.begin, block.size};
  ASSERT_TRUE(parent.give(parcel));
  block.begin[block.size - 1] = std::byte{'c'};  // where the worker sees it
  EXPECT_TRUE(read_request() == std::string(block.size - 1, 'b') + "c");
  take();
  EXPECT_TRUE(base::give_back_large_block(block.begin));
  os::forget_large_blocks();
}

TEST_F(LargeValues, that_are_items_beside_their_callable_are_read_where_they_were_written) {
  const base::LargeBlock block = base::take_large_block(large + 16);
  std::fill_n(block.begin, large + 16, std::byte{'c'});
  std::fill_n(block.begin + 16, large, std::byte{'i'});
  Parcel parcel;
  parcel.callable = {block.begin, 10};
  parcel.items = {block.begin + 16, large};
  ASSERT_TRUE(parent.give(parcel));
  EXPECT_TRUE(base::give_back_large_block(block.begin));
  const auto claim = worker.take();
  std::fill_n(block.begin + 16, 1, std::byte{'j'});  // where the worker sees it
  EXPECT_EQ(text_of(claim->callable), std::string(10, 'c'));
  EXPECT_EQ(text_of(claim->items), "j" + std::string(large - 1, 'i'));
  claim->slot->begun.store(1);
  claim->slot->ended.store(1);
  EXPECT_TRUE(worker.finish(*claim));
  take();
  os::forget_large_blocks();
}

TEST_F(LargeValues, that_are_arguments_wait_side_by_side) {
  for (const char name : {'1', '2', '3', '4'}) give(std::string(large, name));
  const auto nothing = parent.take_unused_memory().requests;
  EXPECT_TRUE(std::none_of(nothing.begin(), nothing.end(), [](const auto& m) { return bool(m); }));
  for (const char name : {'1', '2', '3', '4'}) {
    EXPECT_TRUE(read_request() == std::string(large, name));
  }
}

}  // namespace
}  // namespace brood::lane
