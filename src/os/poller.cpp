// SPDX-License-Identifier: MIT
#include "os/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "os/syscall.hpp"

namespace brood::os {

Poller::Poller() : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "make an epoll descriptor")) {
  ready_.reserve(most_at_once);
}

void Poller::watch(int fd, std::uint64_t tag) {
  struct epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "watch a descriptor");
}

void Poller::forget(int fd) noexcept { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

const std::vector<std::uint64_t>& Poller::wait() {
  std::array<struct epoll_event, most_at_once> events;
  const int count =
      check(uninterrupted([&] {
              return ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
            }),
            "wait for descriptors");
  ready_.clear();
  for (int i = 0; i < count; ++i) {
    // Copied out: an event is packed, and no reference may be bound to what is in it.
    const std::uint64_t tag = events[static_cast<std::size_t>(i)].data.u64;
    ready_.push_back(tag);
  }
  return ready_;
}

Tally::Tally() : fd_(check(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "make an eventfd")) {}

void Tally::add(int fd, std::uint64_t number) noexcept {
  // Refused only where the sum would pass 2^64 - 2.
  (void)!::write(fd, &number, sizeof number);
}

std::uint64_t Tally::take() const noexcept {
  std::uint64_t sum = 0;
  (void)!::read(fd_.get(), &sum, sizeof sum);
  return sum;
}

Alarm::Alarm()
    : fd_(check(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "make a timer")) {}

void Alarm::set(std::chrono::steady_clock::time_point at) const {
  // A point of zero would stop the timer instead.
  const auto since = std::max(at.time_since_epoch(), std::chrono::steady_clock::duration{1});
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  struct itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(seconds.count());
  when.it_value.tv_nsec = static_cast<long>(std::chrono::nanoseconds(since - seconds).count());
  check(::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &when, nullptr), "set a timer");
}

void Alarm::quiet() const noexcept {
  std::uint64_t expirations = 0;
  (void)!::read(fd_.get(), &expirations, sizeof expirations);
}

}  // namespace brood::os
