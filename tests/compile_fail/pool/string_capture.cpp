// SPDX-License-Identifier: MIT
#include <string>

#include <brood/brood.hpp>

int main() {
  brood::Pool pool{1};
  const std::string text = "x";
  pool.apply([text] { return text; });
}
