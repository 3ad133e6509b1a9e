// SPDX-License-Identifier: MIT
#include <brood/brood.hpp>

int number = 3;
const auto shared = brood::share(&number);
