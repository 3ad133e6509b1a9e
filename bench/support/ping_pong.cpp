// SPDX-License-Identifier: MIT
#include "support/ping_pong.hpp"

#include "support/stopwatch.hpp"

namespace bench {

PingPong::PingPong(Waiting waiting)
    : waiting_(waiting),
      words_(shared<Words>()),
      child_([waiting, &words = words_] { answer(waiting, words); }) {}

void PingPong::tell(Waiting waiting, std::atomic<std::uint32_t>& word, std::uint32_t value) {
  word.store(value);
  if (waiting == Waiting::asleep) futex_wake_one(word);
}

void PingPong::await(Waiting waiting, std::atomic<std::uint32_t>& word, std::uint32_t value) {
  for (std::uint32_t seen = word.load(); seen != value; seen = word.load()) {
    if (waiting == Waiting::asleep) {
      futex_sleep(word, seen);
    } else {
      __builtin_ia32_pause();
    }
  }
}

void PingPong::answer(Waiting waiting, Words& words) {
  for (std::uint32_t trip = 1;; ++trip) {
    await(waiting, words.ping, trip);
    tell(waiting, words.pong, trip);
  }
}

double PingPong::round(int trips) {
  return seconds([&] {
           for (int i = 0; i < trips; ++i) {
             tell(waiting_, words_.ping, ++trips_);
             await(waiting_, words_.pong, trips_);
           }
         }) /
         trips;
}

}  // namespace bench
