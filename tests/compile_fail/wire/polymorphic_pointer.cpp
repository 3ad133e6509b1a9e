// SPDX-License-Identifier: MIT
#include <memory>

#include <brood/wire/require.hpp>

struct Shape {
  virtual ~Shape() = default;
};

int main() { return brood::wire::require_encodable_argument<std::unique_ptr<Shape>>() ? 0 : 1; }
