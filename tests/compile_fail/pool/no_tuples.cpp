// SPDX-License-Identifier: MIT
#include <vector>

#include <brood/brood.hpp>

int main() {
  brood::Pool pool{1};
  pool.starmap([](int x) { return x; }, std::vector{1, 2});
}
