// SPDX-License-Identifier: MIT
#include "support/small_process.hpp"

namespace bench {

SmallProcess::SmallProcess(double (*task)())
    : words_(shared<Words>()), child_([task, &words = words_] { serve(words, task); }) {}

double SmallProcess::measure() {
  words_.order.store(++orders_);
  futex_wake_one(words_.order);
  while (words_.answer.load() != orders_) futex_sleep(words_.answer, orders_ - 1);
  return words_.number;
}

void SmallProcess::serve(Words& words, double (*task)()) {
  for (std::uint32_t order = 1;; ++order) {
    while (words.order.load() != order) futex_sleep(words.order, order - 1);
    words.number = task();
    words.answer.store(order);
    futex_wake_one(words.answer);
  }
}

}  // namespace bench
