// SPDX-License-Identifier: MIT
#include <vector>

#include <brood/brood.hpp>

int main() {
  brood::Pool pool{1};
  pool.map(std::vector{1, 2}, [](int x) { return x; });
}
