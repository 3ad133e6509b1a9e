// SPDX-License-Identifier: MIT
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "pool/contexts.hpp"
#include "support/scratch.hpp"

namespace brood::testing {
namespace {

void nothing(int) {}

class Fairness : public AllContexts {};

// One worker is held at a gate while tasks come into line. Callbacks run in the
// order in which their tasks ended.
TEST_P(Fairness, lets_no_thread_wait_for_all_that_another_submitted) {
  const Scratch scratch;
  const Gate gate(scratch);
  std::vector<std::string> order;
  Pool pool = make_pool(1);
  pool.apply_async([](const std::string& at) { pass(at); }, gate.path());
  Thread submitter([&] {
    for (int i = 0; i < 20'000; ++i) pool.apply_async(nothing, i);
    pool.apply_async({.callback = [&] { order.push_back("last of many"); }}, nothing, 0);
  });
  submitter.start();
  submitter.join();
  pool.apply_async({.callback = [&] { order.push_back("single"); }}, nothing, 0);
  gate.open();
  pool.close();
  pool.join();
  EXPECT_EQ(order, (std::vector<std::string>{"single", "last of many"}));
}

TEST_P(Fairness, lets_a_call_pass_another_threads_long_map) {
  const Scratch scratch;
  const Gate gate(scratch);
  std::vector<std::string> order;
  Pool pool = make_pool(1);
  pool.apply_async([](const std::string& at) { pass(at); }, gate.path());
  Thread mapper([&] {
    pool.map_async({.chunksize = 1, .callback = [&] { order.push_back("map"); }}, nothing,
                   std::vector<int>(1000, 1));
  });
  mapper.start();
  mapper.join();
  pool.apply_async({.callback = [&] { order.push_back("call"); }}, nothing, 0);
  gate.open();
  pool.close();
  pool.join();
  EXPECT_EQ(order, (std::vector<std::string>{"call", "map"}));
}

TEST_P(Fairness, keeps_the_order_of_one_threads_tasks) {
  std::vector<int> order;
  Pool pool = make_pool(1);
  for (int i = 0; i < 1000; ++i) {
    pool.apply_async({.callback = [&order, i] { order.push_back(i); }}, nothing, i);
  }
  pool.close();
  pool.join();
  std::vector<int> expected(1000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

INSTANTIATE_TEST_SUITE_P(contexts, Fairness, every_context, name_of);

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
