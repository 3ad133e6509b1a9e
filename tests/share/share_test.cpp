// SPDX-License-Identifier: MIT
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <brood/brood.hpp>

#include "pool/contexts.hpp"

namespace brood::testing {
namespace {

using ::testing::ElementsAre;

long sum(std::span<const int> numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0L);
}
long sum_and_add(const shared_vector<int>& numbers, int more) { return sum(numbers) + more; }

// How many mappings of shared values a process has.
int mapped(const std::string& process) {
  std::ifstream maps("/proc/" + process + "/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);) {
    count += line.find("memfd:brood-shared") != std::string::npos;
  }
  return count;
}

struct Model {
  std::map<std::string, std::vector<double>> layers;
  std::string name;
};
// The same object at each call means that it was decoded once.
const void* address_of(const Model& model, int) { return &model; }
std::size_t where(const Model& model, int number) {
  return reinterpret_cast<std::size_t>(address_of(model, number));
}
double score(const Model& model, int sample) { return model.layers.at("first").at(0) * sample; }

TEST(SharedVector, is_a_sealed_array) {
  const shared_vector<int> numbers{3, 1, 2};
  EXPECT_THAT(numbers, ElementsAre(3, 1, 2));
  EXPECT_EQ(numbers.size(), 3u);
  EXPECT_EQ(numbers[1], 1);
  EXPECT_EQ(numbers.front(), 3);
  EXPECT_EQ(numbers.back(), 2);
  EXPECT_EQ(numbers.at(2), 2);
  EXPECT_THROW(numbers.at(3), std::out_of_range);
  EXPECT_TRUE(shared_vector<int>().empty());
  EXPECT_TRUE(shared_vector<int>(std::vector<int>{}).empty());
  EXPECT_THAT(shared_vector<char>(2, 'x'), ElementsAre('x', 'x'));
  const std::vector<double> from{1.5, 2.5};
  const shared_vector copied(from);
  EXPECT_THAT(copied, ElementsAre(1.5, 2.5));
  EXPECT_EQ(copied, (shared_vector<double>(from.begin(), from.end())));
  const shared_vector<int> filled(4,
                                  [](std::span<int> all) { std::iota(all.begin(), all.end(), 7); });
  EXPECT_THAT(filled, ElementsAre(7, 8, 9, 10));
  EXPECT_DEATH(const_cast<int&>(filled[0]) = 1, "") << "nobody can write to it";
}

TEST(SharedVector, of_what_fills_badly_is_none) {
  EXPECT_THROW(shared_vector<int>(5, [](std::span<int>) { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_EQ(mapped("self"), 0);
}

class Shares : public AllContexts {};

TEST_P(Shares, are_read_by_every_task) {
  const shared_vector<int> numbers(
      1000, [](std::span<int> all) { std::iota(all.begin(), all.end(), 0); });
  Pool pool = make_pool();
  EXPECT_EQ(pool.apply(sum, numbers), 499500);
  EXPECT_EQ(pool.map(task(sum_and_add, numbers), {1, 2, 3}),
            (std::vector<long>{499501, 499502, 499503}));
  const std::vector<std::pair<shared_vector<int>, int>> items(50, {numbers, 5});
  EXPECT_EQ(pool.starmap(sum_and_add, items), std::vector<long>(50, 499505));
}

TEST_P(Shares, outlive_their_owner_while_a_task_needs_them) {
  Pool pool = make_pool(1);
  std::vector<AsyncResult<long>> sums;
  for (int i = 0; i < 100; ++i) {
    sums.push_back(pool.apply_async(sum, shared_vector<int>(1000, i)));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(sums[static_cast<std::size_t>(i)].get(), 1000L * i);
}

TEST_P(Shares, carry_any_value) {
  const Model model{{{"first", {0.5}}, {"second", {}}}, "net"};
  const auto shared = share(model);
  EXPECT_EQ(shared->name, "net");
  EXPECT_EQ((*shared).layers.size(), 2u);
  Pool pool = make_pool();
  EXPECT_EQ(pool.map(task(score, shared), {2, 4}), (std::vector<double>{1, 2}));
  EXPECT_EQ(pool.apply(sum, share(std::vector<int>{1, 2, 3})), 6);
  EXPECT_EQ(pool.apply([](std::string_view text) { return text.size(); }, share("literal")), 7u);
  EXPECT_EQ(
      pool.apply([](const std::string& text) { return text + '!'; }, share(std::string("hi"))),
      "hi!");
}

TEST_P(Shares, come_back_as_values_of_their_own) {
  Pool pool = make_pool(1);
  const shared_vector<int> back = pool.apply([](int n) { return shared_vector<int>(3, n); }, 4);
  EXPECT_THAT(back, ElementsAre(4, 4, 4));
  const Shared<std::string> text = pool.apply([] { return share(std::string("made there")); });
  EXPECT_EQ(text.get(), "made there");
}

TEST_P(Shares, reach_a_pool_within_a_task) {
  Pool pool = make_pool(1);
  const shared_vector<int> numbers{1, 2, 3};
  EXPECT_EQ(pool.apply(
                [](const shared_vector<int>& given) {
                  Pool inner{1};
                  return inner.apply(sum, given);
                },
                numbers),
            6);
}

TEST_P(Shares, of_nothing_say_so) {
  Pool pool = make_pool(1);
  EXPECT_THROW(Shared<int>().get(), ValueError);
  EXPECT_THROW(pool.apply([](const Shared<int>& none) { return none.get(); }, Shared<int>()),
               ValueError);
  EXPECT_EQ(pool.apply(sum, shared_vector<int>()), 0);
}

INSTANTIATE_TEST_SUITE_P(contexts, Shares, every_context, name_of);

class ProcessShares : public Processes {};

TEST_P(ProcessShares, are_decoded_once_by_each_worker) {
  const auto shared = share(Model{{{"first", {0.5}}}, "net"});
  Pool pool = make_pool(1);
  const auto places = pool.map(task(where, shared), {1, 2, 3, 4, 5, 6, 7, 8}, 2);
  EXPECT_EQ(std::count(places.begin(), places.end(), places[0]), 8);
}

// Waits for the fact; the test's own time limit is the watchdog.
TEST_P(ProcessShares, leave_a_worker_that_has_nothing_to_do) {
  Pool pool = make_pool(1);
  const std::string worker = std::to_string(pool.apply(::getpid));
  const shared_vector<int> numbers(1000, 1);
  EXPECT_EQ(pool.apply(sum, numbers), 1000);
  while (mapped(worker) != 0) {
  }
}

TEST_P(ProcessShares, are_free_though_their_holder_was_killed) {
  const shared_vector<int> numbers(1000, 1);
  Pool pool = make_pool(1);
  EXPECT_THROW(pool.apply(
                   [](const shared_vector<int>& held) {
                     ::kill(::getpid(), SIGKILL);
                     return held.size();
                   },
                   numbers),
               WorkerCrashed);
  EXPECT_EQ(pool.apply(sum, numbers), 1000);
}

TEST_P(ProcessShares, travel_to_a_process_and_an_initializer) {
  const shared_vector<int> numbers{1, 2, 4};
  Process process(
      {.context = GetParam()},
      [](std::span<const int> given) { std::exit(static_cast<int>(sum(given))); },
      shared_vector<int>(numbers));
  process.start();
  process.join();
  EXPECT_EQ(process.exitcode(), 7);

  static long kept = 0;
  Pool pool{{.processes = 1,
             .initializer = task([](std::span<const int> given) { kept = sum(given); }, numbers),
             .context = GetParam()}};
  EXPECT_EQ(pool.apply([] { return kept; }), 7);
}

INSTANTIATE_TEST_SUITE_P(contexts, ProcessShares, every_process, name_of);

}  // namespace
}  // namespace brood::testing

BROOD_CONTRACT_MAIN
