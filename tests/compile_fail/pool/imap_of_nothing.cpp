// SPDX-License-Identifier: MIT
#include <vector>

#include <brood/brood.hpp>

int main() {
  brood::Pool pool{1};
  pool.imap([](int) {}, std::vector{1, 2});
}
