// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <cstdint>
#include <utility>

#include "os/own_descriptors.hpp"

namespace brood::os {

// The same description under a number that is no stream's. A program that was
// started without stdin, stdout or stderr would else read, or print into, what is
// brood's. Where no number is left it stays as it is.
int off_the_streams(int fd) noexcept;

// Owns one descriptor, and never 0, 1 or 2. In a child that the user forks it's
// closed at once, and this owns nothing any more.
class UniqueFd {
 public:
  UniqueFd() noexcept = default;
  explicit UniqueFd(int fd) noexcept : fd_(off_the_streams(fd)) { note_own_descriptor(fd_); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)), sweep_(other.sweep_) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    UniqueFd(std::move(other)).swap(*this);
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept {
    if (is_mine()) forget_own_descriptor(fd_);
    return std::exchange(fd_, -1);
  }
  // Not retried: Linux has freed the number before it reports EINTR, and another
  // thread may hold it again.
  void reset() noexcept {
    const bool mine = is_mine();
    const int fd = release();
    if (mine) ::close(fd);
  }
  void swap(UniqueFd& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(sweep_, other.sweep_);
  }

 private:
  bool is_mine() const noexcept {
    return fd_ >= 0 && sweep_ == descriptor_sweeps.load(std::memory_order_relaxed);
  }

  int fd_ = -1;
  std::uint32_t sweep_ = descriptor_sweeps.load(std::memory_order_relaxed);
};

// Another number for the same description, closed on exec.
UniqueFd duplicate(int fd);

}  // namespace brood::os
