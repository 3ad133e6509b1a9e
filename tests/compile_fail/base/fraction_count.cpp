// SPDX-License-Identifier: MIT
#include <brood/base/count.hpp>

brood::Count workers = 2.5;
