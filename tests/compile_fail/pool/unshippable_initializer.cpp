// SPDX-License-Identifier: MIT
#include <string>

#include <brood/brood.hpp>

int main() {
  brood::Pool pool{1};
  const std::string text = "x";
  brood::Pool other{{.initializer = [text] { return text.size(); }}};
}
