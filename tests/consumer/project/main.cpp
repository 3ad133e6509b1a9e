// SPDX-License-Identifier: MIT
// A user's program: it sees nothing but an installed copy of brood.
#include <exception>
#include <iostream>

#include <brood/brood.hpp>

int main() {
  try {
    throw brood::ValueError("cannot start thread 'one': it was started already");
  } catch (const std::exception& error) {
    std::cout << error.what() << '\n';
    return dynamic_cast<const brood::Error*>(&error) != nullptr ? 0 : 1;
  }
}
