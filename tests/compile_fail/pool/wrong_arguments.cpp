// SPDX-License-Identifier: MIT
#include <brood/brood.hpp>

int main() {
  brood::Pool pool{1};
  pool.apply([](int, int) { return 1; }, 1);
}
