// SPDX-License-Identifier: MIT
#include <brood/base/timeout.hpp>

brood::Timeout patience = 5;
