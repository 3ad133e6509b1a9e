// SPDX-License-Identifier: MIT
#pragma once

#include <brood/wire/writer.hpp>

namespace brood::detail {

// Bytes on their way into a job; kept from call to call, so that no call
// allocates for them.
inline wire::Buffer& scratch() {
  struct Kept {
    explicit Kept(bool& kept_is_gone) noexcept : is_gone(kept_is_gone) {}
    ~Kept() { is_gone = true; }
    wire::Buffer bytes;
    bool& is_gone;
  };
  thread_local bool is_gone = false;
  wire::Buffer* buffer = nullptr;
  if (!is_gone) {
    thread_local Kept kept(is_gone);
    buffer = &kept.bytes;
  } else {
    // What the thread keeps is gone already, and a destructor still calls.
    thread_local wire::Buffer last;
    buffer = &last;
  }
  buffer->clear();
  buffer->keep_in(nullptr);
  return *buffer;
}

}  // namespace brood::detail
