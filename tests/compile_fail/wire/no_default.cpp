// SPDX-License-Identifier: MIT

#include <brood/wire/require.hpp>

class Account {
 public:
  explicit Account(int balance) : balance_(balance) {}
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(balance_);
  }

 private:
  int balance_;
};

int main() { return brood::wire::require_encodable_argument<Account>() ? 0 : 1; }
