// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

#include <cstddef>

#include <gtest/gtest.h>

namespace brood {

// The stack that new threads of the process get.
class DefaultStack {
 public:
  explicit DefaultStack(std::size_t size) {
    ::pthread_getattr_default_np(&before_);
    pthread_attr_t changed;
    ::pthread_attr_init(&changed);
    ::pthread_attr_setstacksize(&changed, size);
    EXPECT_EQ(::pthread_setattr_default_np(&changed), 0);
    ::pthread_attr_destroy(&changed);
  }
  ~DefaultStack() {
    ::pthread_setattr_default_np(&before_);
    ::pthread_attr_destroy(&before_);
  }
  DefaultStack(const DefaultStack&) = delete;
  DefaultStack& operator=(const DefaultStack&) = delete;

 private:
  pthread_attr_t before_;
};

}  // namespace brood
