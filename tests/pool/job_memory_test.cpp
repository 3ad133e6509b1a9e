// SPDX-License-Identifier: MIT
#include "pool/job_memory.hpp"

#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace brood::testing {
namespace {

using detail::JobMemory;

struct Piece {
  std::byte* begin;
  std::size_t size;
  std::byte filling;
};

Piece take(std::size_t size, unsigned number) {
  Piece piece{static_cast<std::byte*>(JobMemory::allocate(size)), size,
              static_cast<std::byte>(number)};
  std::memset(piece.begin, static_cast<int>(piece.filling), size);
  return piece;
}

// True when nobody else wrote into it meanwhile.
bool give(const Piece& piece) {
  bool is_whole = true;
  for (std::size_t i = 0; i < piece.size; ++i) is_whole &= piece.begin[i] == piece.filling;
  JobMemory::free(piece.begin, piece.size);
  return is_whole;
}

TEST(JobMemory, is_aligned_for_what_fits_into_it) {
  for (std::size_t size = 8; size <= 4096; size += 8) {
    const Piece piece = take(size, 1);
    const auto address = reinterpret_cast<std::uintptr_t>(piece.begin);
    EXPECT_EQ(address % (size % 16 == 0 ? 16 : 8), 0U) << size;
    EXPECT_TRUE(give(piece));
  }
}

TEST(JobMemory, never_lies_in_two_pieces_at_once) {
  std::mt19937 random(1);
  std::vector<Piece> pieces;
  std::size_t spoilt = 0;
  for (unsigned i = 0; i < 200'000; ++i) {
    // It grows, and shrinks again.
    const bool takes = pieces.empty() || random() % 100 < (i / 20'000 % 2 == 0 ? 60U : 40U);
    if (takes) {
      pieces.push_back(take(8 + random() % 400, i));
    } else {
      std::swap(pieces[random() % pieces.size()], pieces.back());
      if (!give(pieces.back())) ++spoilt;
      pieces.pop_back();
    }
  }
  for (const Piece& piece : pieces) spoilt += give(piece) ? 0U : 1U;
  EXPECT_EQ(spoilt, 0U);
}

TEST(JobMemory, may_be_given_back_by_another_thread) {
  std::size_t spoilt = 0;
  for (int round = 0; round < 50; ++round) {
    std::vector<Piece> pieces;
    // It ends while they live.
    std::thread([&] {
      for (unsigned i = 0; i < 500; ++i) pieces.push_back(take(88, i));
    }).join();
    std::thread half([&] {
      for (std::size_t i = 0; i < 250; ++i) spoilt += give(pieces[i]) ? 0U : 1U;
    });
    half.join();
    for (std::size_t i = 250; i < 500; ++i) spoilt += give(pieces[i]) ? 0U : 1U;
  }
  EXPECT_EQ(spoilt, 0U);
}

// One thread submits, others settle, and another drops the results.
TEST(JobMemory, goes_round_among_threads) {
  std::vector<std::vector<Piece>> given(4);
  std::vector<std::thread> threads;
  for (auto& pieces : given) {
    threads.emplace_back([&] {
      for (unsigned i = 0; i < 20'000; ++i) {
        pieces.push_back(take(88 + 8 * (i % 5), i));
        if (i % 3 == 0) {
          give(pieces.back());
          pieces.pop_back();
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::vector<std::size_t> spoilt(4);
  threads.clear();
  for (std::size_t which = 0; which < 4; ++which) {
    threads.emplace_back([&, which] {
      for (const Piece& piece : given[3 - which]) spoilt[which] += give(piece) ? 0U : 1U;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(spoilt, std::vector<std::size_t>(4));
}

// What a destructor at the end of a thread takes, after its memory was left.
TEST(JobMemory, is_there_until_a_thread_is_gone) {
  struct AtTheEnd {
    std::vector<Piece>* pieces;
    ~AtTheEnd() {
      for (unsigned i = 0; i < 300; ++i) pieces->push_back(take(88, i));
    }
  };
  std::vector<Piece> pieces;
  std::thread([&] {
    thread_local AtTheEnd last{&pieces};
    pieces.push_back(take(88, static_cast<unsigned>(last.pieces->size())));
  }).join();
  ASSERT_EQ(pieces.size(), 301U);
  for (const Piece& piece : pieces) EXPECT_TRUE(give(piece));
}

}  // namespace
}  // namespace brood::testing
