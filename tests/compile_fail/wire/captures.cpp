// SPDX-License-Identifier: MIT
// Each way to send a closure that can't travel: one sentence each.
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <brood/brood.hpp>

void calls(brood::Pool& pool, const std::vector<int>& items, const std::string& text) {
  const std::vector<std::tuple<int, int>> pairs;
  pool.apply([text] { return text.size(); });
  pool.apply([parts = std::tuple{1, 2}] { return std::get<0>(parts); });
  pool.apply([one = std::make_unique<int>(1)] { return *one; });
  pool.apply(std::function<int()>([] { return 1; }));
  pool.apply_async([items] { return items.size(); }).get();
  (void)pool.map([text](int) { return text.size(); }, items).at(0);
  (void)pool.starmap([text](int, int) { return text.size(); }, pairs).at(0);
  for (auto size : pool.imap([text](int) { return text.size(); }, items)) (void)size;
  pool.apply(brood::task([text](int) { return text.size(); }, 1));
  brood::Process process{[text] {}};
  brood::Pool other{{.initializer = [text] {}}};
}
