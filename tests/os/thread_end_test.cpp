// SPDX-License-Identifier: MIT
#include "os/thread_end.hpp"

#include <atomic>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace brood::os {
namespace {

std::string course;  // by one thread at a time

struct Named {
  Named() { course += "made "; }
  ~Named() { course += "ended "; }
  int uses = 0;
};
constinit thread_local OfThread<Named> named;

struct Last {
  ~Last() { course += "last "; }
};
constinit thread_local OfThread<Last> last;

class ThreadEndTest : public ::testing::Test {
 protected:
  void SetUp() override { course.clear(); }

  template <typename Body>
  static void in_a_thread(Body body) {
    std::thread(body).join();
  }
};

TEST_F(ThreadEndTest, what_a_thread_keeps_is_made_once_and_ends_with_it) {
  in_a_thread([] {
    EXPECT_EQ(named.find(), nullptr);
    named.get().uses = 7;
    EXPECT_EQ(named.get().uses, 7);
    EXPECT_EQ(named.find(), &named.get());
    EXPECT_EQ(course, "made ");
  });
  EXPECT_EQ(course, "made ended ");
}

TEST_F(ThreadEndTest, each_thread_has_its_own) {
  named.get().uses = 1;
  in_a_thread([] { EXPECT_EQ(named.find(), nullptr); });
  EXPECT_EQ(named.get().uses, 1);
}

TEST_F(ThreadEndTest, a_thread_that_keeps_nothing_runs_nothing) {
  in_a_thread([] {});
  EXPECT_EQ(course, "");
}

TEST_F(ThreadEndTest, the_last_one_ends_first) {
  in_a_thread([] {
    named.get();
    last.get();
  });
  EXPECT_EQ(course, "made last ended ");
}

struct Late {
  ~Late() { course += named.find() ? "there " : "gone "; }
};

TEST_F(ThreadEndTest, a_destructor_of_the_threads_still_finds_it) {
  in_a_thread([] {
    named.get();
    thread_local Late late;
    (void)late;
  });
  EXPECT_EQ(course, "made there ended ");
}

struct AsksAgain {
  ~AsksAgain() { named.get(); }
};
constinit thread_local OfThread<AsksAgain> asks_again;

TEST_F(ThreadEndTest, what_an_end_keeps_anew_ends_too) {
  in_a_thread([] {
    asks_again.get();
    named.get();
  });
  EXPECT_EQ(course, "made ended made ended ");
}

}  // namespace
}  // namespace brood::os
