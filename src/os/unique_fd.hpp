// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <utility>

namespace brood::os {

// Owns one descriptor.
class UniqueFd {
 public:
  UniqueFd() noexcept = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    UniqueFd(std::move(other)).swap(*this);
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  // Not retried: Linux has freed the number before it reports EINTR, and another
  // thread may hold it again.
  void reset() noexcept {
    if (fd_ >= 0) ::close(release());
  }
  void swap(UniqueFd& other) noexcept { std::swap(fd_, other.fd_); }

 private:
  int fd_ = -1;
};

// Another number for the same description, closed on exec.
UniqueFd duplicate(int fd);

}  // namespace brood::os
