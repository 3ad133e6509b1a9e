// SPDX-License-Identifier: MIT

#include <brood/wire/require.hpp>

class Account {
 public:
  explicit Account(int balance) : balance_(balance) {}
  int balance() const { return balance_; }

 private:
  int balance_;
};

int main() { return brood::wire::require_encodable_argument<Account>() ? 0 : 1; }
