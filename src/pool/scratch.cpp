// SPDX-License-Identifier: MIT
#include <brood/pool/scratch.hpp>

#include "os/thread_end.hpp"

namespace brood::detail {

wire::Buffer& scratch() {
  constinit static thread_local os::OfThread<wire::Buffer> kept;
  wire::Buffer& buffer = kept.get();
  buffer.prefer_shared(false);
  buffer.clear();
  buffer.keep_in(nullptr);
  return buffer;
}

}  // namespace brood::detail
