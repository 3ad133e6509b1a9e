// SPDX-License-Identifier: MIT
// A user's program: it sees nothing but an installed copy of brood.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <brood/brood.hpp>

struct Report {
  std::string name;
  std::vector<int> squares;
};

Report describe(const std::string& name, int count) {
  Report report{name, {}};
  for (int i = 0; i < count; ++i) report.squares.push_back(i * i);
  return report;
}

int main(int argc, char** argv) {
  brood::init(argc, argv);
  brood::Pool pool{2};
  const Report report = pool.apply(describe, "squares", 3);
  try {
    pool.apply([] { std::abort(); });
    return 1;
  } catch (const brood::WorkerCrashed& crash) {
    std::cout << crash.what() << '\n';
  }
  brood::Process child{[] { std::exit(7); }};
  child.start();
  child.join();
  return report.squares == std::vector{0, 1, 4} && child.exitcode() == 7 ? 0 : 1;
}
