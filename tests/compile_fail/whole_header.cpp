// SPDX-License-Identifier: MIT
#include <brood/brood.hpp>

int main() { brood::ValueError("used"); }
