// SPDX-License-Identifier: MIT
#include <brood/brood.hpp>

int main() {
  brood::Pool pool{1};
  pool.map([](int x) { return x; }, {"a", "b"});
}
