// SPDX-License-Identifier: MIT
#include <string>

#include <brood/wire/require.hpp>

struct Animal {
  std::string name;
};
struct Dog : Animal {
  int age;
};

int main() { return brood::wire::require_encodable_argument<Dog>() ? 0 : 1; }
