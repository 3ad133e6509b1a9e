// SPDX-License-Identifier: MIT
// Each way to hand out a reference that would change a copy: one sentence each.
#include <string>
#include <vector>

#include <brood/brood.hpp>

void calls(brood::Pool& pool, std::vector<int>& items) {
  pool.apply([](int& number) { return ++number; }, 1);
  pool.apply([](auto& number) { return ++number; }, 1);
  pool.apply([](std::vector<int>& all) { return all.size(); }, items);
  pool.map([](auto& number) { ++number; }, items);
  for (int number : pool.imap([](int& each) { return ++each; }, items)) (void)number;
  pool.apply(brood::task([](std::string& text) { return text; }, "text"));
  brood::Process process{[](std::string& text) { text = "other"; }, "text"};
  brood::Pool other{{.initializer = brood::task([](std::string& text) { text = ""; }, "text")}};
}
