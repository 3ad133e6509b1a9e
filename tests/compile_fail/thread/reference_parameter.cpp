// SPDX-License-Identifier: MIT
#include <brood/thread.hpp>

void worker(int&) {}

int number = 0;
brood::Thread thread{{.name = "t"}, worker, number};
