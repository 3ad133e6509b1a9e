// SPDX-License-Identifier: MIT
#include <cstdio>
#include <memory>

#include <brood/wire/require.hpp>

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

int main() {
  return brood::wire::require_encodable_argument<std::unique_ptr<std::FILE, Close>>() ? 0 : 1;
}
