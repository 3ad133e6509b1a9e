// SPDX-License-Identifier: MIT
// Each way to make a call that its function doesn't take: one sentence each.
#include <string>
#include <tuple>
#include <vector>

#include <brood/brood.hpp>

void calls(brood::Pool& pool, const std::vector<int>& items) {
  const std::vector<std::tuple<int>> singles;
  pool.apply([](int a, int b) { return a + b; }, 1);
  pool.apply({.retries = 1}, [](int a, int b) { return a + b; }, 1, 2, 3);
  pool.apply_async([](int a) { return a; }, "text").get();
  (void)pool.map([](int a, int b) { return a + b; }, items).at(0);
  (void)pool.map({.chunksize = 2}, [](std::string a) { return a; }, items).size();
  (void)pool.map_async([](int a, int b) { return a + b; }, items).get();
  (void)pool.starmap([](int a, int b) { return a + b; }, singles).front();
  for (int sum : pool.imap([](int a, int b) { return a + b; }, items)) (void)sum;
  for (int sum : pool.imap_unordered([](int a, int b) { return a + b; }, items)) (void)sum;
  pool.apply(brood::task([](int a) { return a; }, 1, 2));
  brood::Process process{[](int a) { return a; }, "text"};
  brood::Pool other{{.initializer = [](int a) { return a; }}};
  brood::Pool third{{.preload = brood::task([](int a, int b) { return a + b; }, 1)}};
}
